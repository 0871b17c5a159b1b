// SPDX-License-Identifier: Apache-2.0
//
// Pure functions on texts, no system calls. See the header for the stored form. Any thread.
#include "link_text.h"

namespace fs_local {
namespace {

constexpr std::string_view kMark = ".//";
constexpr std::string_view kUp = "../";

// "/../x" is "/x", as at the root of every file system.
std::string_view without_leading_ups(std::string_view target) {
  for (;;) {
    std::string_view rest = target;
    const std::string_view part = next_part(rest);
    if (part != ".." && part != ".") break;
    target = rest;
  }
  const std::size_t start = target.find_first_not_of('/');
  return start == std::string_view::npos ? std::string_view() : target.substr(start);
}

}  // namespace

std::string_view next_part(std::string_view& path) {
  const std::size_t start = path.find_first_not_of('/');
  if (start == std::string_view::npos) {
    path = {};
    return {};
  }
  const std::size_t end = path.find('/', start);
  const std::string_view part = path.substr(start, end == std::string_view::npos ? end : end - start);
  path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  return part;
}

std::string stored_target(std::string_view target, std::size_t depth) {
  if (target.empty() || target.front() != '/') return std::string(target);
  std::string text(kMark);
  for (std::size_t level = 0; level < depth; ++level) text += kUp;
  text += without_leading_ups(target);
  return text;
}

bool is_marked(std::string_view text) { return text.starts_with(kMark); }

std::optional<std::string> marked_target(std::string_view text, std::size_t depth) {
  if (!is_marked(text)) return std::nullopt;
  text.remove_prefix(kMark.size());
  std::size_t levels = 0;
  for (; text.starts_with(kUp); ++levels) text.remove_prefix(kUp.size());
  if (levels != depth) return std::nullopt;
  return "/" + std::string(text);
}

std::optional<std::string> cleaned(std::string_view path) {
  std::string result;
  for (std::string_view part = next_part(path); !part.empty(); part = next_part(path)) {
    if (part == ".") continue;
    if (part == "..") {
      if (result.empty()) return std::nullopt;
      result.resize(result.rfind('/'));
    } else {
      result.append("/").append(part);
    }
  }
  return result.empty() ? "/" : result;
}

std::optional<std::string_view> below(std::string_view text, std::string_view home) {
  for (std::string_view wanted = next_part(home); !wanted.empty(); wanted = next_part(home)) {
    std::string_view found = next_part(text);
    while (found == ".") found = next_part(text);
    if (found != wanted) return std::nullopt;
  }
  return text;
}

}  // namespace fs_local
