// SPDX-License-Identifier: Apache-2.0
//
// Where requests go, and through what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fs_s3 {

struct Endpoint {
  bool tls = true;
  std::string host;
  std::uint16_t port = 443;

  // As it stands in a Host header: without the port everybody expects.
  std::string authority() const;
  bool operator<(const Endpoint& other) const;
  // "https://host:port", "http://host", "host:port" (TLS); nothing: it is none of these.
  static std::optional<Endpoint> parse(std::string_view text);
};

struct Proxy {
  std::string host, user, password;
  std::uint16_t port = 0;
};
// From http_proxy, https_proxy and no_proxy (the last two also in capitals); nothing: straight there, as always to
// addresses that mean another machine, or none, to a proxy: loopback, link-local, those of instance metadata.
// Of Amazon's own endpoints: those in China are another's.
inline std::string amazon_domain(std::string_view region) {
  return region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
}

std::optional<Proxy> proxy_for(const Endpoint& endpoint);

}  // namespace fs_s3
