// SPDX-License-Identifier: Apache-2.0
//
// The service: made from settings, started and stopped by the host. All else is the server's.
#include <sallyport/cpp/service.hpp>

#include "server.h"

namespace admin_http {
namespace {

using sallyport::Outcome;

// For whoever only asks whether the settings are good: what start will read.
Outcome<void> check_files(const Settings& settings) {
  if (!settings.auth_user_file.empty()) {
    if (auto read = PasswordFile(settings.auth_user_file, {}, {}).read(); !read) return read;
  }
  return settings.tls() ? Tls(settings.certificate_file, settings.certificate_key_file).load() : Outcome<void>();
}

class AdminHttp : public sallyport::Service<AdminHttp> {
 public:
  static constexpr const char* kType = "admin-http";
  static constexpr const char* kSummary = "administration over HTTP: the REST API and metrics";
  static constexpr const char* kConfigSchema = kSettingsSchema;

  static Outcome<std::unique_ptr<AdminHttp>> create(const sp_host& host, std::string_view config) {
    auto settings = parse_settings(config);
    if (!settings) return std::move(settings.failure());
    if (auto good = check_files(*settings); !good) return good.failure();
    return std::make_unique<AdminHttp>(host, std::move(*settings));
  }

  AdminHttp(const sp_host& host, Settings settings) : host_(host), settings_(std::move(settings)) {}

  Outcome<void> start() {
    auto api = HostApi::find(host_);
    if (!api) return api.failure();
    server_ = std::make_unique<Server>(host_, *api, settings_);
    return server_->start();
  }
  Outcome<void> reload(std::string_view) { return server_->reload(); }
  Outcome<void> stop(const sp_op& op) {
    return server_->stop(Watch::Clock::time_point(std::chrono::nanoseconds(op.deadline_ns)));
  }

 private:
  const sp_host& host_;
  const Settings settings_;
  std::unique_ptr<Server> server_;  // set by start
};

}  // namespace
}  // namespace admin_http

SALLYPORT_PLUGIN("org.sallyport.admin-http", "admin-http", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kServiceFactory<admin_http::AdminHttp>)
