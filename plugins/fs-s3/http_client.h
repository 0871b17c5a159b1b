// SPDX-License-Identifier: Apache-2.0
//
// One HTTP request and its answer, over connections that are kept. Any thread; knows nothing of S3.
#pragma once

#include <Poco/Net/Context.h>

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <sallyport/cpp/base.hpp>
#include <span>
#include <string>
#include <vector>

#include "connection.h"
#include "endpoint.h"
#include "hook-common/resolver.h"
#include "object-common/stop.h"

namespace fs_s3 {

using sallyport::Failure;
using sallyport::Outcome;

struct HttpRequest {
  std::string method;
  std::string target;  // path and query, encoded
  std::map<std::string, std::string> headers;
  std::span<const std::byte> body;
  bool straight = false;  // through no proxy, whatever the environment says
  // Nothing is waited for longer, but for a second; what moves goes on.
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::time_point::max();
  std::chrono::seconds quiet{0};  // so much longer than usual no byte may come
  // Whoever is gone waits for no answer.
  object_common::Stop stop = {};
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;                            // what did not go into the caller's memory
  bool sent_before = false;                    // over a connection that then broke: it may have been done twice
  bool ok() const { return status >= 200 && status < 300; }
  std::string header(const std::string& name) const;
};

class HttpClient {
 public:
  struct Settings {
    std::chrono::seconds connect_timeout{10};
    std::chrono::seconds timeout{30};  // without a byte
    std::size_t max_idle = 64;         // connections kept per endpoint
    std::size_t max_kept = 256;        // of all endpoints
    std::string ca_file;               // empty: the system's
  };
  explicit HttpClient(const Settings& settings, hook_common::Resolver::LookUp look_up = {});
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Of a failure: nothing reached the other side, so that anything may be sent again.
  static constexpr int kNotSent = -1;
  // A Failure: no answer, or not all of it; its number is kNotSent where that is sure. The body of a good answer goes
  // to `into` when that is not empty and must fill it. `fresh`: on a new connection, for what must not be sent twice.
  Outcome<HttpAnswer> call(const Endpoint& endpoint, const HttpRequest& request, std::span<std::byte> into = {},
                           bool fresh = false);

 private:
  using Link = std::unique_ptr<Connection>;
  struct Kept {
    Link link;
    std::chrono::steady_clock::time_point since;
  };
  Outcome<HttpAnswer> on_new_connection(const Endpoint& endpoint, const HttpRequest& request,
                                        std::span<std::byte> into);
  Link take(const Endpoint& endpoint);
  Link connect(const Endpoint& endpoint, const HttpRequest& request);
  Poco::Net::Context::Ptr context();
  std::vector<Link> take_stale();  // under mutex_
  void keep(const Endpoint& endpoint, Link link);
  Outcome<HttpAnswer> exchange(const Endpoint& endpoint, Link link, const HttpRequest& request,
                               std::span<std::byte> into);

  const Settings settings_;
  hook_common::Resolver resolver_;
  std::mutex mutex_;
  std::map<Endpoint, std::vector<Kept>> kept_;
  Poco::Net::Context::Ptr context_;  // made when the first endpoint needs it; under mutex_
};

}  // namespace fs_s3
