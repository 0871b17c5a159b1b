// SPDX-License-Identifier: Apache-2.0
//
// The real service around the faulty routes. Its server can be ended while the host goes on, which nothing in the real
// one allows, and gives its clients less time.
#include <sallyport/version.h>

#include <sallyport/cpp/service.hpp>
#include <thread>

#include "faults.h"
#include "server.h"

namespace admin_http {
namespace {

using sallyport::Outcome;

constexpr limits::Times kTimes{
    .silence = std::chrono::seconds(60), .request = std::chrono::seconds(3), .answer = std::chrono::seconds(3)};

Server* the_server = nullptr;
std::thread ending;

class FaultyAdminHttp : public sallyport::Service<FaultyAdminHttp> {
 public:
  static constexpr const char* kType = "admin-http";
  static constexpr const char* kSummary = "administration over HTTP, broken";
  static constexpr const char* kConfigSchema = kSettingsSchema;

  static Outcome<std::unique_ptr<FaultyAdminHttp>> create(const sp_host& host, std::string_view config) {
    auto settings = parse_settings(config);
    if (!settings) return std::move(settings.failure());
    return std::make_unique<FaultyAdminHttp>(host, std::move(*settings));
  }

  FaultyAdminHttp(const sp_host& host, Settings settings) : host_(host), settings_(std::move(settings)) {}

  Outcome<void> start() {
    auto api = HostApi::find(host_);
    if (!api) return api.failure();
    server_ = std::make_unique<Server>(host_, *api, settings_, kTimes);
    the_server = server_.get();
    return server_->start();
  }
  Outcome<void> stop(const sp_op& op) {
    if (ending.joinable()) ending.join();
    return server_->stop(Watch::Clock::time_point(std::chrono::nanoseconds(op.deadline_ns)));
  }

 private:
  const sp_host& host_;
  const Settings settings_;
  std::unique_ptr<Server> server_;
};

}  // namespace

// Not on the thread of the request, for which the end waits.
void end_server() {
  if (!ending.joinable())
    ending = std::thread([] { (void)the_server->stop(Watch::Clock::now() + std::chrono::seconds(5)); });
}

}  // namespace admin_http

SALLYPORT_PLUGIN("org.sallyport.admin-http", "admin-http", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kServiceFactory<admin_http::FaultyAdminHttp>)
