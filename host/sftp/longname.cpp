// SPDX-License-Identifier: Apache-2.0
//
// Written by hand rather than with a format string: listings of 100,000 entries spend their time here. Any thread.
#include "host/sftp/longname.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace host::sftp {
namespace {

using core::Attrs;
using core::FileType;

constexpr std::int64_t kHalfYearSeconds = 182 * 86400;

void append_number(std::string& out, std::uint64_t value, std::size_t width, char pad) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  const auto count = static_cast<std::size_t>(end - digits.data());
  if (count < width) out.append(width - count, pad);
  out.append(digits.data(), count);
}

void append_padded(std::string& out, std::string_view text, std::size_t width) {
  out += text;
  if (text.size() < width) out.append(width - text.size(), ' ');
}

void append_mode(std::string& out, std::uint32_t mode) {
  switch (mode & 0170000) {
    case 0040000: out += 'd'; break;
    case 0120000: out += 'l'; break;
    case 0100000: out += '-'; break;
    default: out += '?';
  }
  constexpr std::string_view kLetters = "rwxrwxrwx";
  const auto start = out.size();
  for (std::size_t bit = 0; bit < kLetters.size(); ++bit) out += mode & 0400u >> bit ? kLetters[bit] : '-';
  const auto special = [&](std::uint32_t flag, std::size_t at, char with_x, char without_x) {
    if (mode & flag) out[start + at] = out[start + at] == 'x' ? with_x : without_x;
  };
  special(04000, 2, 's', 'S');
  special(02000, 5, 's', 'S');
  special(01000, 8, 't', 'T');
}

void append_time(std::string& out, std::int64_t time_s, std::int64_t now_s) {
  static constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto clock = static_cast<std::time_t>(time_s);
  std::tm local{};
  if (localtime_r(&clock, &local) == nullptr) local = {};
  out += kMonths[static_cast<std::size_t>(std::clamp(local.tm_mon, 0, 11))];
  out += ' ';
  append_number(out, static_cast<std::uint64_t>(std::max(local.tm_mday, 1)), 2, ' ');
  out += ' ';
  if (time_s > now_s || time_s < now_s - kHalfYearSeconds) {
    append_number(out, static_cast<std::uint64_t>(std::max(local.tm_year + 1900, 0)), 5, ' ');
    return;
  }
  append_number(out, static_cast<std::uint64_t>(local.tm_hour), 2, '0');
  out += ':';
  append_number(out, static_cast<std::uint64_t>(local.tm_min), 2, '0');
}

}  // namespace

std::uint32_t posix_mode(const Attrs& attrs) {
  const auto type = attrs.has(Attrs::kType) ? attrs.type : FileType::kUnknown;
  std::uint32_t mode = 0;
  switch (type) {
    case FileType::kDir: mode = 0040000; break;
    case FileType::kSymlink: mode = 0120000; break;
    case FileType::kFile: mode = 0100000; break;
    case FileType::kUnknown:
    case FileType::kOther: break;
  }
  if (attrs.has(Attrs::kPerms)) return mode | (attrs.perms & 07777);
  return mode | (type == FileType::kDir ? 0755u : type == FileType::kSymlink ? 0777u : 0644u);
}

void append_longname(std::string& out, const LongnameRow& row) {
  append_mode(out, posix_mode(row.attrs));
  out += ' ';
  append_number(out, row.attrs.has(Attrs::kNlink) ? row.attrs.nlink : 1, 4, ' ');
  out += ' ';
  append_padded(out, row.user, 8);
  out += ' ';
  append_padded(out, row.group, 8);
  out += ' ';
  append_number(out, row.attrs.has(Attrs::kSize) ? row.attrs.size : 0, 8, ' ');
  out += ' ';
  append_time(out, row.attrs.has(Attrs::kMtime) ? row.attrs.mtime_ns / 1'000'000'000 : 0, row.now_s);
  out += ' ';
  out += row.name;
}

}  // namespace host::sftp
