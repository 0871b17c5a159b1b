// SPDX-License-Identifier: Apache-2.0
//
// Accounts. Parameters are checked here, accounts by the host.
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "handlers.h"
#include "http_limits.h"

namespace admin_http {
namespace {

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t value = 0;
  const char* const begin = text.data() + (text.starts_with('+') && text.size() > 1 && text[1] != '-' ? 1 : 0);
  const auto [end, problem] = std::from_chars(begin, text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Answer invalid_id() { return envelope(400, "Invalid userID", ""); }

// The replaced system gives this one reason in the other member.
constexpr std::string_view kOtherId = "user ID in request body does not match user ID in path parameter";

}  // namespace

Answer list_users(const Request& request, Services& services) {
  std::int64_t limit = limits::kDefaultUsers, offset = 0;
  std::string order = "ASC";
  if (request.query.count("limit") != 0) {
    const auto wanted = number(request.get("limit"));
    if (!wanted) return envelope(400, "Invalid limit", "");
    limit = std::min<std::int64_t>(*wanted, limits::kMostUsers);
  }
  if (request.query.count("offset") != 0) {
    const auto wanted = number(request.get("offset"));
    if (!wanted || *wanted < 0) return envelope(400, "Invalid offset", "");
    offset = *wanted;
  }
  if (request.query.count("order") != 0) {
    order = request.get("order");
    if (order != "ASC" && order != "DESC") return envelope(400, "Invalid order", "");
  }
  const nlohmann::json query = {
      {"limit", limit}, {"offset", offset}, {"order", order}, {"username", request.get("username")}};
  const std::string text = query.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  const auto* users = services.host.users;
  const auto reply =
      ask([&](auto* out, auto* error) { return users->list(users->ctx, sallyport::str(text), out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer add_user(const Request& request, Services& services) {
  const auto* users = services.host.users;
  const auto reply =
      ask([&](auto* out, auto* error) { return users->add(users->ctx, sallyport::str(request.body), out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer get_user(const Request& request, Services& services) {
  const auto id = number(request.parameter);
  if (!id) return invalid_id();
  const auto* users = services.host.users;
  const auto reply = ask([&](auto* out, auto* error) { return users->get(users->ctx, *id, out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer update_user(const Request& request, Services& services) {
  const auto id = number(request.parameter);
  if (!id) return invalid_id();
  const auto* users = services.host.users;
  const auto reply =
      ask([&](auto*, auto* error) { return users->update(users->ctx, *id, sallyport::str(request.body), error); });
  if (reply) return envelope(200, "", "User updated");
  if (reply.status == SP_E_INVALID && reply.error == kOtherId) return envelope(400, "", reply.error);
  return failure(reply);
}

Answer delete_user(const Request& request, Services& services) {
  const auto id = number(request.parameter);
  if (!id) return invalid_id();
  const auto* users = services.host.users;
  const auto reply = ask([&](auto*, auto* error) { return users->remove(users->ctx, *id, error); });
  return reply ? envelope(200, "", "User deleted") : failure(reply);
}

}  // namespace admin_http
