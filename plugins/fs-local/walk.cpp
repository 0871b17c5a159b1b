// SPDX-License-Identifier: Apache-2.0
//
// See the header. ".." comes only from link texts (the host cleans paths), so no stack of open ancestors is kept: a
// climb drops names and walks down from the home again. Whatever is swapped meanwhile, every step starts at a
// descriptor that was reached from the home without a link, so nothing outside is ever opened. Any thread.
#include "walk.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>

#include "home.h"
#include "link_text.h"
#include "platform.h"

namespace fs_local {
namespace {

constexpr unsigned kMaxLinks = 40;     // as Linux
constexpr unsigned kMaxSteps = 16384;  // opens per resolution: bounds what links full of ".." can cost

std::string link_text_at(int dir, const char* name) {
  char text[PATH_MAX];
  const ssize_t length =
      *name != '\0' ? ::readlinkat(dir, name, text, sizeof text) : platform::read_link(dir, text, sizeof text);
  if (length == static_cast<ssize_t>(sizeof text)) errno = ENAMETOOLONG;
  if (length <= 0 || length == static_cast<ssize_t>(sizeof text)) return {};
  return {text, static_cast<std::size_t>(length)};
}

bool names_link(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 && S_ISLNK(st.st_mode);
}

}  // namespace

int Walk::here() const { return here_ ? here_.get() : home_.fd(); }

bool Walk::count_step() {
  if (++steps_ <= kMaxSteps) return true;
  errno = ELOOP;
  return false;
}

bool Walk::arrive() {
  if (!behind_) return true;
  here_.reset();
  for (const std::string& name : names_) {
    if (!count_step()) return false;
    UniqueFd next(::openat(here(), name.c_str(), platform::kNameOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) {
      // It was a directory a moment ago.
      if (errno == ENOTDIR || errno == ELOOP) errno = EAGAIN;
      return false;
    }
    here_ = std::move(next);
  }
  behind_ = false;
  return true;
}

bool Walk::follow(std::string text) {
  if (!home_.follows_links() || ++links_ > kMaxLinks) {
    errno = home_.follows_links() ? ELOOP : EACCES;
    return false;
  }
  if (text.front() == '/') {
    const auto inside = home_.inside(text);
    if (!inside) {
      errno = EXDEV;
      return false;
    }
    here_.reset();
    names_.clear();
    behind_ = false;
    text = std::string(*inside);
  }
  text += '/';
  rest_ = text.append(rest_, done_);
  done_ = 0;
  return true;
}

bool Walk::enter(const std::string& name) {
  if (!arrive() || !count_step()) return false;
  UniqueFd next(::openat(here(), name.c_str(), platform::kNameOnly | O_NOFOLLOW | O_CLOEXEC));
  if (!next) return false;
  struct stat st {};
  if (::fstat(next.get(), &st) != 0) return false;
  if (S_ISLNK(st.st_mode)) {
    std::string text = link_text_at(next.get(), "");
    return !text.empty() && follow(std::move(text));
  }
  if (!S_ISDIR(st.st_mode)) {
    errno = ENOTDIR;
    return false;
  }
  here_ = std::move(next);
  names_.push_back(name);
  return true;
}

// Nothing and a link text: the last component is a link to follow.
UniqueFd Walk::open_last(const std::string& name, int flags, mode_t mode, std::string& link_text) {
  if (!arrive() || !count_step()) return {};
  UniqueFd fd(::openat(here(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode));
  if (fd) {
    if ((flags & platform::kNameOnly) == 0 || !names_link(fd.get())) {
      if ((flags & O_DIRECTORY) != 0) names_.push_back(name);
      return fd;
    }
    link_text = link_text_at(fd.get(), "");
    return {};
  }
  // ENOTDIR: O_DIRECTORY is checked before O_NOFOLLOW.
  const int error = errno;
  if (error == ELOOP || error == ENOTDIR) link_text = link_text_at(here(), name.c_str());
  if (link_text.empty()) errno = error;
  return {};
}

UniqueFd Walk::open(std::string_view path, int flags, mode_t mode) {
  rest_ = path;
  for (;;) {
    std::string_view left = std::string_view(rest_).substr(done_);
    const std::string name(next_part(left));
    const bool last = left.find_first_not_of('/') == std::string_view::npos;
    done_ = rest_.size() - left.size();
    if (name.empty()) {
      if (!arrive()) return {};
      return UniqueFd(::openat(here(), ".", flags | O_CLOEXEC, mode));
    }
    if (name == ".") continue;
    if (name == "..") {
      if (names_.empty()) {
        errno = EXDEV;
        return {};
      }
      names_.pop_back();
      behind_ = true;
      continue;
    }
    if (!last) {
      if (!enter(name)) return {};
      continue;
    }
    std::string link_text;
    UniqueFd fd = open_last(name, flags, mode, link_text);
    if (fd || link_text.empty()) return fd;
    if (!follow(std::move(link_text))) return {};
  }
}

}  // namespace fs_local
