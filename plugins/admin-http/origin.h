// SPDX-License-Identifier: Apache-2.0
//
// Requests that a browser makes on behalf of a page from elsewhere: it would add the administrator's password, or be on
// the administrator's machine, and the page's author is neither. Programs send none of these headers. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace admin_http {

// What a request says about where it comes from; empty: nothing.
struct Source {
  std::string host;        // Host
  std::string origin;      // Origin (RFC 6454)
  std::string fetch_site;  // Sec-Fetch-Site (W3C Fetch Metadata)
  std::string referer;     // Referer
};

struct OwnNames {
  std::string machine;               // of this machine
  std::vector<std::string> allowed;  // httpd.allowed_hosts
  bool any = false;                  // whoever can reach the port is meant to, or needs a password
};

// Why the request is refused; nothing: it is not.
std::optional<std::string> refuses(const Source& source, const OwnNames& names);

}  // namespace admin_http
