// SPDX-License-Identifier: Apache-2.0
//
// Two attacks: a page that sends requests across origins, and one whose name is made to point at this machine (DNS
// rebinding), for which they are of its own origin. A name without a dot and an address cannot be an attacker's.
#include "origin.h"

#include <Poco/Net/IPAddress.h>
#include <Poco/String.h>

#include <algorithm>

namespace admin_http {
namespace {

// The name in "name", "name:8080" and "[::1]:8080".
std::string name_of(std::string_view authority) {
  if (authority.starts_with('[')) return std::string(authority.substr(1, authority.find(']') - 1));
  return std::string(authority.substr(0, authority.find(':')));
}

// "https://name:8443/path" -> "name:8443"
std::string authority_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return {};
  return url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
}

bool same(const std::string& a, const std::string& b) { return Poco::icompare(a, b) == 0; }

bool lists(const OwnNames& names, const std::string& authority) {
  return std::any_of(names.allowed.begin(), names.allowed.end(),
                     [&](const auto& each) { return same(each, authority) || same(each, name_of(authority)); });
}

bool own(const std::string& authority, const Source& source, const OwnNames& names) {
  return !authority.empty() && (same(authority, source.host) || lists(names, authority));
}

bool from_elsewhere(const Source& source, const OwnNames& names) {
  if (!source.origin.empty()) return !own(authority_of(source.origin), source, names);
  if (!source.fetch_site.empty()) return source.fetch_site != "same-origin" && source.fetch_site != "none";
  return !source.referer.empty() && !own(authority_of(source.referer), source, names);
}

bool may_be_called(const std::string& host, const OwnNames& names) {
  const auto name = name_of(host);
  Poco::Net::IPAddress address;
  return names.any || name.find('.') == std::string::npos || Poco::toLower(name).ends_with(".localhost") ||
         Poco::Net::IPAddress::tryParse(name, address) || same(name, names.machine) || lists(names, host);
}

}  // namespace

std::optional<std::string> refuses(const Source& source, const OwnNames& names) {
  if (!may_be_called(source.host, names)) {
    return "this server does not go by the name \"" + name_of(source.host) + "\"; httpd.allowed_hosts can say so";
  }
  if (from_elsewhere(source, names)) return "requests of pages from other sites are refused";
  return std::nullopt;
}

}  // namespace admin_http
