// SPDX-License-Identifier: Apache-2.0
//
// Questions from a plugin, which may have them from a program: nothing about them is taken for granted. Any thread.
#include "host/auth/questions.h"

#include "host/users/bounded_json.h"

namespace host::auth {
namespace {

using Json = nlohmann::ordered_json;

core::Error wrong(const char* what) { return {core::Status::kInvalid, std::string("its questions ") + what}; }

bool is_list_of(const Json& json, const char* name, bool (*is_kind)(const Json&)) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_array()) return false;
  for (const auto& each : *found) {
    if (!is_kind(each)) return false;
  }
  return true;
}

}  // namespace

core::Result<Questions> parse_questions(std::string_view text) {
  const Json json = users::parse_bounded(text);
  if (!json.is_object()) return wrong("are no JSON object");
  if (!is_list_of(json, "questions", [](const Json& each) { return each.is_string(); }))
    return wrong("are no list of texts");
  if (!is_list_of(json, "echos", [](const Json& each) { return each.is_boolean(); }))
    return wrong("lack \"echos\", a list of true and false");
  Questions out;
  out.prompts = json.at("questions").get<std::vector<std::string>>();
  out.echos = json.at("echos").get<std::vector<bool>>();
  if (out.prompts.empty() || out.prompts.size() > kMaxQuestions) return wrong("are none, or too many");
  if (out.prompts.size() != out.echos.size()) return wrong("are not as many as \"echos\"");
  if (const auto it = json.find("instruction"); it != json.end() && it->is_string())
    out.instruction = it->get<std::string>();
  const auto check = json.find("check_password");
  out.check_password = check != json.end() && check->is_number_integer() && *check > 0;
  if (out.check_password && out.prompts.size() != 1) return wrong("are several, and the answer is to be the password");
  return out;
}

}  // namespace host::auth
