// SPDX-License-Identifier: Apache-2.0
//
// Paths of a mount and the keys behind them. Every key that is ever sent begins with the account's prefix.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fs_s3 {

inline constexpr std::size_t kMaxKeyBytes = 1024;

class Keys {
 public:
  // `prefix` as accounts have it: "a/b", "a/b/", "a/./b"; nothing when it begins with '/' or leads out of itself.
  static std::optional<Keys> within(std::string_view prefix);

  const std::string& prefix() const { return prefix_; }  // "" or "a/b/"
  bool is_root(std::string_view path) const { return path.empty() || path == "/"; }
  std::string file(std::string_view path) const;       // "/x/y" -> "a/b/x/y"
  std::string directory(std::string_view path) const;  // "/x/y" -> "a/b/x/y/", "/" -> "a/b/"
  static bool fits(std::string_view key) { return key.size() <= kMaxKeyBytes; }

 private:
  explicit Keys(std::string prefix) : prefix_(std::move(prefix)) {}
  std::string prefix_;
};

}  // namespace fs_s3
