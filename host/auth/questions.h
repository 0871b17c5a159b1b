// SPDX-License-Identifier: Apache-2.0
//
// What a keyboard-interactive login asks (RFC 4256 section 3.2). Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"

namespace host::auth {

inline constexpr std::size_t kMaxQuestions = 64;  // at once

struct Questions {
  std::string instruction;
  std::vector<std::string> prompts;
  std::vector<bool> echos;
  bool check_password = false;  // the one answer is the stored password: it is compared, and not handed on
};

// `{"instruction", "questions": [], "echos": [], "check_password"}`; kInvalid when it cannot be asked.
core::Result<Questions> parse_questions(std::string_view json);

}  // namespace host::auth
