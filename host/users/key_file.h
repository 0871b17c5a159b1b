// SPDX-License-Identifier: Apache-2.0
//
// A small private file: nobody but its owner may read it. Worker threads and start-up.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::users {

// Tells one state of a file from another.
struct FileStamp {
  std::int64_t inode = 0, size = -1, seconds = 0, nanoseconds = 0;  // a file that is not there has the size -1
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
FileStamp stamp_of(const std::filesystem::path& file);

// kNotFound when it is not there; kDenied when others may read or change it.
core::Result<std::string> read_private_file(const std::filesystem::path& file);

// Makes it, whole or not at all, with mode 0600. kExists when somebody else was quicker.
core::Result<void> make_private_file(const std::filesystem::path& file, std::string_view text);

}  // namespace host::users
