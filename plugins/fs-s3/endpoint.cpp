// SPDX-License-Identifier: Apache-2.0
//
// Takes addresses apart. Looks at the environment when asked, never later.
#include "endpoint.h"

#include <Poco/Net/IPAddress.h>
#include <Poco/URI.h>

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace fs_s3 {
namespace {

constexpr std::uint16_t kHttpPort = 80, kHttpsPort = 443;

std::string proxy_variable(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);
  if (value == nullptr || *value == '\0') value = std::getenv(upper);
  return value != nullptr ? value : "";
}

// "*", "host", ".domain" and "domain", separated by commas.
bool goes_straight(const std::string& host, const std::string& list) {
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t end = std::min(list.find(',', at), list.size());
    std::string entry = list.substr(at, end - at);
    at = end + 1;
    std::erase(entry, ' ');
    if (entry.empty()) continue;
    if (entry == "*" || entry == host) return true;
    const std::string domain = entry.front() == '.' ? entry : "." + entry;
    if (host.size() > domain.size() && host.ends_with(domain)) return true;
  }
  return false;
}

bool is_near(const std::string& host) {
  Poco::Net::IPAddress address;
  if (host == "localhost") return true;
  if (!Poco::Net::IPAddress::tryParse(host, address)) return false;
  constexpr std::string_view kMetadata = "fd00:ec2:";  // of AWS, over IPv6
  return address.isLoopback() || address.isLinkLocal() || address.toString().starts_with(kMetadata);
}

}  // namespace

std::string Endpoint::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? kHttpsPort : kHttpPort) ? name : name + ":" + std::to_string(port);
}

bool Endpoint::operator<(const Endpoint& other) const {
  return std::tie(host, port, tls) < std::tie(other.host, other.port, other.tls);
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  std::string full(text);
  if (full.find("://") == std::string::npos) full = "https://" + full;
  try {
    const Poco::URI uri(full);
    Endpoint endpoint;
    endpoint.tls = uri.getScheme() == "https";
    if (!endpoint.tls && uri.getScheme() != "http") return std::nullopt;
    const bool bare = (uri.getPath().empty() || uri.getPath() == "/") && uri.getRawQuery().empty();
    if (uri.getHost().empty() || !uri.getUserInfo().empty() || !bare) return std::nullopt;
    endpoint.host = uri.getHost();
    endpoint.port = uri.getPort() != 0 ? uri.getPort() : endpoint.tls ? kHttpsPort : kHttpPort;
    return endpoint;
  } catch (const Poco::Exception&) {
    return std::nullopt;
  }
}

std::optional<Proxy> proxy_for(const Endpoint& endpoint) {
  if (is_near(endpoint.host)) return std::nullopt;
  // HTTP_PROXY in capitals is what a CGI client may set; other programs ignore it for that reason.
  const std::string address =
      endpoint.tls ? proxy_variable("https_proxy", "HTTPS_PROXY") : proxy_variable("http_proxy", "http_proxy");
  if (address.empty() || goes_straight(endpoint.host, proxy_variable("no_proxy", "NO_PROXY"))) return std::nullopt;
  try {
    const Poco::URI uri(address.find("://") == std::string::npos ? "http://" + address : address);
    if (uri.getHost().empty()) return std::nullopt;
    const std::string& user = uri.getUserInfo();
    const std::size_t colon = std::min(user.find(':'), user.size());
    return Proxy{uri.getHost(), user.substr(0, colon), colon < user.size() ? user.substr(colon + 1) : "",
                 uri.getPort()};
  } catch (const Poco::Exception&) {
    return std::nullopt;
  }
}

}  // namespace fs_s3
