// SPDX-License-Identifier: Apache-2.0
//
// Path resolution by hand, one component at a time, each opened without following links relative to the descriptor
// of the one before. Used where the kernel cannot resolve beneath a directory, and for links that are absolute on
// disk but stay inside the home, which the kernel would refuse. One object per resolution; errno tells failures.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "unique_fd.h"

namespace fs_local {

class Home;

class Walk {
 public:
  explicit Walk(const Home& home) : home_(home) {}

  // Opens what `path` names, links followed; EXDEV when that is outside the home.
  UniqueFd open(std::string_view path, int flags, mode_t mode);

  // After open of a directory: how many real directories lie between it and the home; 0 for the home itself.
  std::size_t depth() const { return names_.size(); }

 private:
  int here() const;
  bool arrive();
  bool enter(const std::string& name);
  bool follow(std::string text);
  UniqueFd open_last(const std::string& name, int flags, mode_t mode, std::string& link_text);
  bool count_step();

  const Home& home_;
  UniqueFd here_;                   // empty: the home itself
  std::vector<std::string> names_;  // real directories from the home to here
  bool behind_ = false;             // names_ was shortened and here_ does not show it yet
  std::string rest_;                // what is being resolved,
  std::size_t done_ = 0;            // and how much of it is
  unsigned links_ = 0, steps_ = 0;
};

}  // namespace fs_local
