// SPDX-License-Identifier: Apache-2.0
//
// The directory a mount is confined to, and the only way from a path to a descriptor. Paths are those of the ABI:
// absolute, '/' is the home. Failures leave errno; EXDEV means the path leads out of the home. Thread-safe.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <string_view>

#include "unique_fd.h"

namespace fs_local {

// Where an operation on a name itself (not on what it links to) happens.
struct Place {
  UniqueFd owned;  // empty when the directory is the home
  int dir = -1;    // -1: not resolved
  std::string name;
  explicit operator bool() const { return dir >= 0; }
};

class Home {
 public:
  // by_kernel false: resolve by hand even where the kernel could.
  static sallyport::Outcome<Home> open(std::string_view path, bool by_kernel);

  // A home that is not there: every path answers `error`.
  static Home missing(std::string_view path, int error);

  // False, with errno, for a missing one; its fd is -1.
  bool there() const;
  // It was there, and has been removed since. Leaves errno alone.
  bool gone() const;
  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  const std::string& canonical() const { return canonical_; }

  // From now on: EACCES for every path with a symbolic link that would be followed.
  void follow_no_links() { follows_links_ = false; }
  bool follows_links() const { return follows_links_; }

  // Opens what `path` names, following links that stay inside.
  UniqueFd open_at(std::string_view path, int flags, mode_t mode = 0) const;
  // The directory that holds the last component, and that component. EINVAL for the home itself.
  Place place_of(std::string_view path) const;
  // How many real directories lie between the home and the directory `path`.
  std::optional<std::size_t> depth_of(std::string_view path) const;
  // The part of an absolute path of the server that lies in the home, nothing when it is elsewhere.
  std::optional<std::string_view> inside(std::string_view server_path) const;

 private:
  Home(UniqueFd fd, std::string path, std::string canonical, bool by_kernel);

  UniqueFd fd_;            // names the directory only
  std::string path_;       // as configured
  std::string canonical_;  // without links
  bool by_kernel_;
  bool follows_links_ = true;
  bool has_links_ = false;  // of the other kind, as the file system counts them
  int missing_ = 0;         // errno of its operations
};

bool is_home(std::string_view path);
std::string_view directory_of(std::string_view path);

}  // namespace fs_local
