// SPDX-License-Identifier: Apache-2.0
//
// Pure functions. Paths come cleaned from the host, the prefix comes from an administrator.
#include "keys.h"

#include <algorithm>
#include <vector>

namespace fs_s3 {

std::optional<Keys> Keys::within(std::string_view prefix) {
  if (prefix.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> steps;
  for (std::size_t at = 0; at < prefix.size();) {
    const std::size_t end = std::min(prefix.find('/', at), prefix.size());
    const auto step = prefix.substr(at, end - at);
    at = end + 1;
    if (step.empty() || step == ".") continue;
    if (step != "..") {
      steps.push_back(step);
    } else if (steps.empty()) {
      return std::nullopt;
    } else {
      steps.pop_back();
    }
  }
  std::string clean;
  for (const auto step : steps) clean.append(step).append("/");
  return Keys(std::move(clean));
}

std::string Keys::file(std::string_view path) const {
  while (path.starts_with('/')) path.remove_prefix(1);
  return prefix_ + std::string(path);
}

std::string Keys::directory(std::string_view path) const {
  if (is_root(path)) return prefix_;
  return file(path) + "/";
}

}  // namespace fs_s3
