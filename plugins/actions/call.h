// SPDX-License-Identifier: Apache-2.0
//
// An event in the form in which commands and services of the replaced system got it. Pure; any thread.
#pragma once

#include <sallyport/cpp/base.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace actions {

struct Call {
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> variables;
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;  // of a POST; empty: a GET
};

sallyport::Outcome<Call> file_call(std::string_view event_json);
sallyport::Outcome<Call> user_call(std::string_view event_json);

}  // namespace actions
