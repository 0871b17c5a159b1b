// SPDX-License-Identifier: Apache-2.0
//
// Confinement: every path becomes a descriptor here, beneath the home's descriptor, by the kernel in one call or by
// Walk. No string is ever checked first and used later. Any thread.
#include "home.h"

#include <fcntl.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "errors.h"
#include "link_text.h"
#include "platform.h"
#include "walk.h"

namespace fs_local {
namespace {

constexpr int kBeneathTries = 8;  // renames elsewhere can make the kernel unsure; then Walk decides

// Not more than the kernel would accept, and no byte that would end a C string early.
bool well_formed(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos) {
    errno = EINVAL;
    return false;
  }
  if (path.size() >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return false;
  }
  return true;
}

std::string_view without_trailing_slashes(std::string_view path) {
  const std::size_t last = path.find_last_not_of('/');
  return last == std::string_view::npos ? std::string_view() : path.substr(0, last + 1);
}

}  // namespace

bool is_home(std::string_view path) { return !path.empty() && path.find_first_not_of('/') == std::string_view::npos; }

std::string_view directory_of(std::string_view path) {
  path = without_trailing_slashes(path);
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos || slash == 0 ? "/" : path.substr(0, slash);
}

Home::Home(UniqueFd fd, std::string path, std::string canonical, bool by_kernel)
    : fd_(std::move(fd)), path_(std::move(path)), canonical_(std::move(canonical)), by_kernel_(by_kernel) {}

sallyport::Outcome<Home> Home::open(std::string_view path, bool by_kernel) {
  if (!well_formed(path)) return failed("home directory", path);
  std::string text(path);
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  UniqueFd fd(::open(text.c_str(), platform::kNameOnly | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return failed("home directory", path);
  const std::unique_ptr<char, decltype(&std::free)> canonical(::realpath(text.c_str(), nullptr), &std::free);
  if (!canonical) return failed("home directory", path);
  struct stat st {};
  const bool counted = ::fstat(fd.get(), &st) == 0 && st.st_nlink > 0;
  Home home(std::move(fd), std::move(text), canonical.get(), by_kernel && platform::has_open_beneath());
  home.has_links_ = counted;
  return sallyport::Outcome<Home>(std::move(home));
}

Home Home::missing(std::string_view path, int error) {
  Home home{UniqueFd(), std::string(path), std::string(path), false};
  home.missing_ = error;
  return home;
}

bool Home::there() const {
  if (missing_ != 0) errno = missing_;
  return missing_ == 0;
}

bool Home::gone() const {
  const int error = errno;
  struct stat st {};
  const bool removed = has_links_ && missing_ == 0 && ::fstat(fd_.get(), &st) == 0 && st.st_nlink == 0;
  errno = error;
  return removed;
}

UniqueFd Home::open_at(std::string_view path, int flags, mode_t mode) const {
  if (!well_formed(path) || !there()) return {};
  if (by_kernel_) {
    const std::size_t start = path.find_first_not_of('/');
    const std::string relative(start == std::string_view::npos ? "." : path.substr(start));
    for (int tries = 0; tries < kBeneathTries; ++tries) {
      UniqueFd fd(platform::open_beneath(fd_.get(), relative.c_str(), flags | O_CLOEXEC, mode, follows_links_));
      if (fd) return fd;
      if (errno == EXDEV) break;  // perhaps only a link that is absolute on disk
      if (errno == ELOOP && !follows_links_) errno = EACCES;
      if (errno != EAGAIN) return {};
    }
  }
  return Walk(*this).open(path, flags, mode);
}

Place Home::place_of(std::string_view path) const {
  if (!well_formed(path) || !there()) return {};
  path = without_trailing_slashes(path);
  Place place;
  place.name = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  if (place.name.empty() || place.name == "." || place.name == "..") {
    errno = EINVAL;
    return {};
  }
  const std::string_view directory = directory_of(path);
  if (!is_home(directory)) {
    place.owned = open_at(directory, platform::kNameOnly | O_DIRECTORY);
    if (!place.owned) return {};
  }
  place.dir = place.owned ? place.owned.get() : fd_.get();
  return place;
}

std::optional<std::size_t> Home::depth_of(std::string_view path) const {
  Walk walk(*this);
  if (!well_formed(path) || !there() || !walk.open(path, platform::kNameOnly | O_DIRECTORY, 0)) return std::nullopt;
  return walk.depth();
}

std::optional<std::string_view> Home::inside(std::string_view server_path) const {
  if (const auto rest = below(server_path, path_)) return rest;
  return below(server_path, canonical_);
}

}  // namespace fs_local
