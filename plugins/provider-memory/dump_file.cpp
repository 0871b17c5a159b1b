// SPDX-License-Identifier: Apache-2.0
//
// The dump file as bytes and JSON. Start-up thread, or a worker on reload. Must not know collections.
#include "dump_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace provider_memory {
namespace {

using provider_common::Json;

// Lines and columns from 1, as editors count.
std::string place(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const auto line_start = before.rfind('\n') + 1;  // 0 in the first line
  return "line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) + ", column " +
         std::to_string(before.size() - line_start + 1);
}

}  // namespace

provider_common::Outcome<provider_common::Json> read_dump(const std::string& path) {
  const auto failure = [&](sp_status status, const std::string& problem) {
    return provider_common::Failure{status, "dump file " + path + ": " + problem, 0};
  };
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  if (error) return failure(SP_E_NOT_FOUND, error.message());
  if (size == 0 || size > kMaxDumpBytes) {
    return failure(SP_E_INVALID,
                   "has " + std::to_string(size) + " bytes; 1 to " + std::to_string(kMaxDumpBytes) + " are allowed");
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(size, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(size))) return failure(SP_E_IO, "cannot be read");
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& mistake) {  // its own text may show a part of a password
    return failure(SP_E_INVALID, place(text, mistake.byte) +
                                     (mistake.byte > size ? ": the file ends too early" : ": is not valid JSON"));
  }
}

}  // namespace provider_memory
