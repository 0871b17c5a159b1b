// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a stranger on the one side, so every number is bounded. Pure functions.
#include "host/scp/messages.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <limits>

namespace host::scp {
namespace {

using core::Attrs;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kMaxSize = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
constexpr std::uint64_t kMaxSeconds = kMaxSize / kNsPerSecond;

// A number that ends at a blank or at the end; the blank is taken as well.
std::optional<std::uint64_t> take_number(std::string_view& text, int base) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || (stop != end && *stop != ' ')) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + (stop != end ? 1 : 0));
  return number;
}

std::string entry_line(char letter, std::uint32_t perms, std::uint64_t size, std::string_view name) {
  std::array<char, 48> head{};
  const int length = std::snprintf(head.data(), head.size(), "%c%04o %" PRIu64 " ", letter, perms & 07777U, size);
  std::string line(head.data(), static_cast<std::size_t>(length));
  return line.append(name).append("\n");
}

// One line, whatever a name contains.
std::string printable(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, '?');
  return line;
}

}  // namespace

std::optional<Entry> parse_entry(std::string_view text) {
  const auto perms = take_number(text, 8);
  const auto size = perms ? take_number(text, 10) : std::nullopt;
  if (!size || *perms > 07777 || *size > kMaxSize) return std::nullopt;
  if (text.empty() || text == "." || text == ".." || text.find_first_of(std::string_view("/\0", 2)) != text.npos)
    return std::nullopt;
  return Entry{static_cast<std::uint32_t>(*perms), *size, std::string(text)};
}

std::optional<Times> parse_times(std::string_view text) {
  std::array<std::uint64_t, 4> numbers{};
  for (auto& number : numbers) {
    const auto taken = take_number(text, 10);
    if (!taken) return std::nullopt;
    number = *taken;
  }
  if (!text.empty() || numbers[0] > kMaxSeconds || numbers[2] > kMaxSeconds) return std::nullopt;
  return Times{static_cast<std::int64_t>(numbers[0]), static_cast<std::int64_t>(numbers[2])};
}

std::string times_line(const Attrs& attrs) {
  const auto seconds = [](std::int64_t ns) { return std::to_string(std::max<std::int64_t>(ns / kNsPerSecond, 0)); };
  std::string line = "T";
  line.append(seconds(attrs.mtime_ns)).append(" 0 ");
  return line.append(seconds(attrs.has(Attrs::kAtime) ? attrs.atime_ns : attrs.mtime_ns)).append(" 0\n");
}

std::string file_line(const Attrs& attrs, std::string_view name) {
  return entry_line('C', attrs.has(Attrs::kPerms) ? attrs.perms : 0644, attrs.size, name);
}

std::string directory_line(const Attrs& attrs, std::string_view name) {
  return entry_line('D', attrs.has(Attrs::kPerms) ? attrs.perms : 0755, 0, name);
}

std::string warning(std::string_view what, std::string_view why) {
  std::string line = "\x01scp: ";
  return line.append(printable(what)).append(": ").append(printable(why)).append("\n");
}

std::string fatal(std::string_view why) {
  std::string line = "\x02scp: ";
  return line.append(printable(why)).append("\n");
}

}  // namespace host::scp
