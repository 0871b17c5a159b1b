// SPDX-License-Identifier: Apache-2.0
//
// External authentication: the answer is the whole user, or one without a name. The password or key that was shown
// becomes part of the user, so that what the host stores is what was accepted. Questions that another hook asks come
// after it: then it only says who the user is.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "hooks.h"
#include "json.h"

namespace auth_external {
namespace {

using sallyport::Outcome;
using sallyport::view;

std::string_view secret_of(const sp_auth_request& request) {
  return {static_cast<const char*>(request.secret.ptr), request.secret.len};
}

Outcome<std::string> ask(Target& target, const sp_op& op, const sp_auth_request& request) {
  const std::string user(view(request.user));
  const std::string password(secret_of(request));
  std::string key(view(request.public_key));
  if (!key.empty()) key += "\n";
  const std::string keyboard = request.method == SP_AUTH_KEYBOARD ? "1" : "";
  if (target.is_program()) {
    return target.run(op, {{"SFTPGO_AUTHD_USERNAME", user},
                           {"SFTPGO_AUTHD_PASSWORD", password},
                           {"SFTPGO_AUTHD_PUBLIC_KEY", key},
                           {"SFTPGO_AUTHD_KEYBOARD_INTERACTIVE", keyboard}});
  }
  auto body = to_text({{"username", user},
                       {"ip", view(request.address)},
                       {"password", password},
                       {"public_key", key},
                       {"keyboard_interactive", keyboard}});
  if (!body) return body.failure();
  return target.post(op, target.settings().url, *body, target.deadline());
}

// The first two words: comments differ and mean nothing.
std::string_view key_part(std::string_view line) {
  const auto first = line.find(' ');
  return first == std::string_view::npos ? line : line.substr(0, line.find_first_of(" \r\n", first + 1));
}

void add_key(Json& user, std::string_view key) {
  auto& keys = user["public_keys"];
  if (!keys.is_array()) keys = Json::array();
  const bool known = std::any_of(keys.begin(), keys.end(), [&](const Json& each) {
    return each.is_string() && key_part(each.get_ref<const std::string&>()) == key_part(key);
  });
  if (!known) keys.push_back(key);
}

// As far as that can be said here: the host checks more. What it will not accept, the next attempt must not find.
bool lets_in(const Json& user, std::string_view name) {
  using namespace std::chrono;
  const auto now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  const auto number = [&user](const char* member) {
    const auto found = user.find(member);
    return found != user.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
  };
  const auto expires = number("expiration_date");
  return user["username"] == Json(name) && number("status") == 1 && (expires == 0 || expires > now);
}

}  // namespace

Outcome<void> ask_external(Target& target, Cache& cache, const sp_op& op, const sp_auth_request& request,
                           sallyport::AuthSink sink) {
  auto kept = cache.find(request);
  const bool asks = !kept;
  if (asks) {
    auto answer = ask(target, op, request);
    if (!answer) return answer.failure();
    kept = std::move(*answer);
  }
  Json user = parse(*kept);
  if (!user.is_object()) {
    // A no, of the shortest kind.
    const bool refuses = user.is_null() || kept->find_first_not_of(" \t\r\n") == std::string::npos;
    return target.fails("the answer is not a user as JSON", refuses ? SP_E_DENIED : SP_E_IO);
  }
  const auto name = user.find("username");
  if (name == user.end() || !name->is_string() || name->get_ref<const std::string&>().empty()) return sink.deny();
  if (asks && request.method != SP_AUTH_KEYBOARD && lets_in(user, view(request.user))) cache.keep(request, *kept);
  if (request.method == SP_AUTH_PASSWORD) user["password"] = std::string(secret_of(request));
  if (request.method == SP_AUTH_PUBLIC_KEY) add_key(user, view(request.public_key));
  auto text = to_text(user);
  if (!text) return text.failure();
  return request.method == SP_AUTH_KEYBOARD ? sink.updated(*text) : sink.allow(*text);
}

}  // namespace auth_external
