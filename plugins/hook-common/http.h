// SPDX-License-Identifier: Apache-2.0
//
// One request over HTTP or HTTPS. Blocks, until the deadline at most, or until nobody waits for it. Any thread.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hook-common/resolver.h"
#include "hook-common/watchdog.h"

namespace hook_common {

struct Answer {
  int status = 0;
  std::string body;
};

class HttpClient {
 public:
  using Cancelled = std::function<bool()>;  // quick; also asked on the watchdog's thread

  // `ca_file`: certificates of authorities to trust (PEM); empty: the system's. `look_up`: in place of the system's.
  HttpClient(Watchdog& dog, const std::string& ca_file, Resolver::LookUp look_up = {});
  ~HttpClient();

  // A POST with JSON when there is a body, else a GET. A failure when there is no whole answer; what its status means
  // is the caller's to say. Redirections are not followed, proxies not used.
  sallyport::Outcome<Answer> request(const std::string& url, std::string_view body,
                                     Watchdog::Clock::time_point deadline, const Cancelled& cancelled);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Is it a URL that request can use? For checks at the start.
bool is_http_url(const std::string& url);
// What of a URL may be in a log: scheme, name and port. The rest may hold secrets.
std::string server_of(const std::string& url);

}  // namespace hook_common
