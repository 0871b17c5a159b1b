// SPDX-License-Identifier: Apache-2.0
//
// The line that stands for a directory entry in NAME replies, as `ls -l` prints it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/core/attrs.h"

namespace host::sftp {

// Mode as POSIX has it: type bits and permissions. Permissions a store does not keep are 0755 or 0644.
std::uint32_t posix_mode(const core::Attrs& attrs);

struct LongnameRow {
  std::string_view name, user, group;
  const core::Attrs& attrs;
  std::int64_t now_s;  // seconds since 1970: decides between time and year
};

// Appends the line to `out`. Local time zone.
void append_longname(std::string& out, const LongnameRow& row);

}  // namespace host::sftp
