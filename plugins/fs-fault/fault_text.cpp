// SPDX-License-Identifier: Apache-2.0
//
// The text form of a rule: OPERATION[:WHICH]:EFFECT[,EFFECT...]. Start-up only.
#include <cerrno>
#include <charconv>
#include <iterator>
#include <string_view>

#include "faults.h"

namespace fs_fault {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

constexpr std::uint64_t kMaxDelayMs = 10UL * 60 * 1000;  // as long as the host gives a call
constexpr std::uint64_t kMaxShortBytes = 1024UL * 1024;

struct OperationName {
  std::string_view name;
  Operation operation;
};
constexpr OperationName kOperations[] = {
    {"mount", Operation::kMount},   {"stat", Operation::kStat},         {"setstat", Operation::kSetstat},
    {"open", Operation::kOpen},     {"read", Operation::kRead},         {"write", Operation::kWrite},
    {"fstat", Operation::kFstat},   {"fsetstat", Operation::kFsetstat}, {"sync", Operation::kSync},
    {"commit", Operation::kCommit}, {"opendir", Operation::kOpendir},   {"readdir", Operation::kReaddir},
    {"mkdir", Operation::kMkdir},   {"remove", Operation::kRemove},     {"rmdir", Operation::kRmdir},
    {"rename", Operation::kRename}, {"symlink", Operation::kSymlink},   {"readlink", Operation::kReadlink},
    {"link", Operation::kLink},     {"statvfs", Operation::kStatvfs},   {"copy", Operation::kCopy},
};

struct ErrorName {
  std::string_view name;
  sp_status status;
  int native;
};
constexpr ErrorName kErrors[] = {
    {"EIO", SP_E_IO, EIO},
    {"ENOENT", SP_E_NOT_FOUND, ENOENT},
    {"EACCES", SP_E_DENIED, EACCES},
    {"EPERM", SP_E_DENIED, EPERM},
    {"EEXIST", SP_E_EXISTS, EEXIST},
    {"ENOTEMPTY", SP_E_NOT_EMPTY, ENOTEMPTY},
    {"ENOTDIR", SP_E_NOT_DIR, ENOTDIR},
    {"EISDIR", SP_E_IS_DIR, EISDIR},
    {"ENOTSUP", SP_E_UNSUPPORTED, ENOTSUP},
    {"EINVAL", SP_E_INVALID, EINVAL},
    {"EDQUOT", SP_E_QUOTA, EDQUOT},
    {"ENOSPC", SP_E_NO_SPACE, ENOSPC},
    {"EBUSY", SP_E_BUSY, EBUSY},
    {"ETIMEDOUT", SP_E_TIMED_OUT, ETIMEDOUT},
    {"ELOOP", SP_E_LOOP, ELOOP},
    {"ENAMETOOLONG", SP_E_NAME_TOO_LONG, ENAMETOOLONG},
    {"EXDEV", SP_E_CROSS_DEVICE, EXDEV},
};

template <class Row, std::size_t N>
std::string names_of(const Row (&rows)[N]) {
  std::string all;
  for (const auto& row : rows) all += (all.empty() ? "" : ", ") + std::string(row.name);
  return all;
}

template <class Row, std::size_t N>
const Row* find(const Row (&rows)[N], std::string_view name) {
  for (const auto& row : rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

// The number that `text` begins with, which is taken off.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

// "3", "3+", "2-4", "%5".
std::optional<Which> parse_which(std::string_view text) {
  Which which;
  if (text.starts_with('%')) {
    text.remove_prefix(1);
    const auto every = take_number(text);
    if (!every || *every == 0 || !text.empty()) return std::nullopt;
    which.first = which.every = *every;
    return which;
  }
  const auto first = take_number(text);
  if (!first || *first == 0) return std::nullopt;
  which.first = which.last = *first;
  if (text == "+") {
    which.last = std::numeric_limits<std::uint64_t>::max();
  } else if (text.starts_with('-')) {
    text.remove_prefix(1);
    const auto last = take_number(text);
    if (!last || *last < *first || !text.empty()) return std::nullopt;
    which.last = *last;
  } else if (!text.empty()) {
    return std::nullopt;
  }
  return which;
}

std::optional<std::chrono::milliseconds> parse_delay(std::string_view text) {
  const auto number = take_number(text);
  if (!number || *number > kMaxDelayMs) return std::nullopt;
  const std::uint64_t unit = text == "ms" ? 1 : text == "s" ? 1000 : 0;
  if (unit == 0 || *number * unit > kMaxDelayMs) return std::nullopt;
  return std::chrono::milliseconds(*number * unit);
}

Outcome<void> add_effect(Effect& effect, std::string_view text) {
  const auto equals = text.find('=');
  const auto name = text.substr(0, equals);
  auto value = equals != std::string_view::npos ? text.substr(equals + 1) : std::string_view();
  const auto refused = [&](const std::string& allowed) {
    return Failure{SP_E_INVALID, "found \"" + std::string(text) + "\", allowed is " + allowed, 0};
  };
  if (name == "drop" && equals == std::string_view::npos) {
    effect.drop = true;
    return {};
  }
  if (name == "error") {
    const auto* row = find(kErrors, value);
    if (row == nullptr) return refused("error= and one of " + names_of(kErrors));
    effect.error = row->status;
    effect.native = row->native;
    return {};
  }
  if (name == "delay") {
    const auto delay = parse_delay(value);
    if (!delay) return refused("delay= and a time such as 250ms or 2s, at most 600s");
    effect.delay = *delay;
    return {};
  }
  if (name == "short") {
    const auto bytes = take_number(value);
    if (!bytes || *bytes == 0 || *bytes > kMaxShortBytes || !value.empty())
      return refused("short= and 1 to 1048576 bytes");
    effect.short_bytes = static_cast<std::size_t>(*bytes);
    return {};
  }
  return refused("error=NAME, delay=TIME, short=BYTES or drop");
}

}  // namespace

Outcome<Rule> parse_rule(const std::string& text) {
  const auto refused = [&](const std::string& why) {
    return Failure{SP_E_INVALID, "fault \"" + text + "\": " + why, 0};
  };
  const std::string_view whole = text;
  const auto first = whole.find(':'), last = whole.rfind(':');
  if (first == std::string_view::npos) return refused("allowed is OPERATION[:WHICH]:EFFECT[,EFFECT...]");
  Rule rule;
  const auto name = whole.substr(0, first);
  if (name != "any") {
    const auto* row = find(kOperations, name);
    if (row == nullptr) {
      return refused("found \"" + std::string(name) + "\", allowed is any, " + names_of(kOperations));
    }
    rule.on = row->operation;
  }
  if (last != first) {
    const auto which = parse_which(whole.substr(first + 1, last - first - 1));
    if (!which) return refused("which calls? allowed is 3, 3+ (it and all later ones), 2-4, or %5 (every fifth)");
    rule.which = *which;
  }
  for (std::string_view rest = whole.substr(last + 1);;) {
    const auto comma = rest.find(',');
    if (auto added = add_effect(rule.effect, rest.substr(0, comma)); !added) return refused(added.failure().message);
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  if (rule.effect.short_bytes && rule.on != Operation::kRead) return refused("short= is allowed for read only");
  return rule;
}

}  // namespace fs_fault
