// SPDX-License-Identifier: Apache-2.0
//
// Before the login of a user that is there: nothing said, nothing changed; else the members to change.
#include "hook-common/query.h"
#include "hooks.h"
#include "json.h"

namespace auth_external {

using sallyport::Outcome;
using sallyport::view;

Outcome<void> ask_pre_login(Target& target, const sp_op& op, const sp_auth_request& request, sallyport::AuthSink sink) {
  const std::string user(view(request.user_json));
  if (user.empty()) return sink.next();
  const std::string method(method_name(request.method));
  auto answer = target.is_program()
                    ? target.run(op, {{"SFTPGO_LOGIND_USER", user}, {"SFTPGO_LOGIND_METHOD", method}})
                    : target.post(op, hook_common::with_query(target.settings().url, {{"login_method", method}}), user,
                                  target.deadline());
  if (!answer) return answer.failure();
  if (answer->find_first_not_of(" \t\r\n") == std::string::npos) return sink.next();
  Json changes = parse(*answer);
  if (!changes.is_object()) return target.fails("the answer is not a user as JSON");
  // A name would make it the whole user for the host.
  if (const auto name = changes.find("username"); name != changes.end()) {
    if (*name != Json(view(request.user))) return target.fails("the answer is about another user");
    changes.erase(name);
  }
  auto text = to_text(changes);
  if (!text) return text.failure();
  return sink.updated(*text);
}

}  // namespace auth_external
