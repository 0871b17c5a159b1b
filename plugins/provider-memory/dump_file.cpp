// SPDX-License-Identifier: Apache-2.0
//
// The dump file as bytes and JSON. Start-up thread, or a worker on reload. Must not know collections.
#include "dump_file.h"

#include <filesystem>
#include <fstream>

namespace provider_memory {

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
  auto json = provider_common::Json::parse(text, nullptr, false);
  if (json.is_discarded()) return failure(SP_E_INVALID, "is not valid JSON");
  return json;
}

}  // namespace provider_memory
