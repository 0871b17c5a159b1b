// SPDX-License-Identifier: Apache-2.0
//
// The lines of the scp protocol. It has no specification but OpenSSH's scp.c and those before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/core/attrs.h"

namespace host::scp {

inline constexpr std::string_view kAccepted{"\0", 1};

struct Times {
  std::int64_t mtime_s = 0, atime_s = 0;
};

// "C0644 12 name" or "D0755 0 name", without the letter.
struct Entry {
  std::uint32_t perms = 0;
  std::uint64_t size = 0;
  std::string name;  // never empty, "." or "..", no '/'
};

std::optional<Entry> parse_entry(std::string_view text);
// "1700000000 0 1700000000 0", without the letter.
std::optional<Times> parse_times(std::string_view text);

// With their letter and end of line.
std::string times_line(const core::Attrs& attrs);
std::string file_line(const core::Attrs& attrs, std::string_view name);
std::string directory_line(const core::Attrs& attrs, std::string_view name);
// A failure that concerns one file; the conversation goes on. `what` is a path as the client knows it.
std::string warning(std::string_view what, std::string_view why);
// A failure that ends it.
std::string fatal(std::string_view why);

}  // namespace host::scp
