// SPDX-License-Identifier: Apache-2.0
//
// Status, expiry, home directory, methods, addresses. The texts go to the log, never to the client.
#include "host/auth/restrictions.h"

#include <algorithm>
#include <filesystem>

#include "host/users/cidr.h"

namespace host::auth {
namespace {

core::Error refused(std::string text) { return {core::Status::kDenied, std::move(text)}; }

}  // namespace

core::Result<void> check_status(const users::User& user, std::int64_t now_ms) {
  if (user.status < 1) return refused("user is disabled");
  if (user.expiration_date > 0 && user.expiration_date < now_ms) return refused("user is expired");
  return core::ok();
}

core::Result<void> check_address(const users::Filters& filters, std::string_view client_ip) {
  if (filters.allowed_ip.empty() && filters.denied_ip.empty()) return core::ok();
  const auto address = users::parse_ip(client_ip);
  if (!address)
    return refused("the client's address \"" + std::string(client_ip) +
                   "\" cannot be checked against the account's filters");
  for (const auto& block : filters.denied_ip) {
    const auto cidr = users::parse_cidr(block);
    if (!cidr) return refused("denied_ip holds \"" + block + "\", which is not CIDR");
    if (cidr->contains(*address)) return refused("login from " + std::string(client_ip) + " is denied by " + block);
  }
  if (filters.allowed_ip.empty()) return core::ok();
  const bool allowed = std::any_of(filters.allowed_ip.begin(), filters.allowed_ip.end(), [&](const std::string& block) {
    const auto cidr = users::parse_cidr(block);
    return cidr && cidr->contains(*address);
  });
  if (!allowed) return refused("login from " + std::string(client_ip) + " is not in allowed_ip");
  return core::ok();
}

core::Result<void> check_restrictions(const users::User& user, std::string_view method, std::string_view client_ip) {
  if (!std::filesystem::path(user.home_dir).is_absolute()) {
    return refused("home_dir must be an absolute path, actual value: " + user.home_dir);
  }
  const auto& methods = user.filters.denied_login_methods;
  if (std::find(methods.begin(), methods.end(), method) != methods.end()) {
    return refused("login method " + std::string(method) + " is not allowed for this user");
  }
  return check_address(user.filters, client_ip);
}

}  // namespace host::auth
