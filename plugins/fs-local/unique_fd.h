// SPDX-License-Identifier: Apache-2.0
//
// Owner of a file descriptor. Closing keeps errno, so that a failed step can be reported after clean-up.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace fs_local {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset() {
    if (fd_ < 0) return;
    const int kept = errno;
    ::close(release());
    errno = kept;
  }

 private:
  int fd_ = -1;
};

}  // namespace fs_local
