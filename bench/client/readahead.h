// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace bench::client {

// While alive, recv() on `fd` is served from a 256 KiB buffer instead of one system call per 4 KiB that libssh asks
// for, so that the client is never the slower end of a measurement. Used by the thread that owns the session.
class Readahead {
 public:
  explicit Readahead(int fd);
  ~Readahead();
  Readahead(const Readahead&) = delete;
  Readahead& operator=(const Readahead&) = delete;

 private:
  int fd_;
};

}  // namespace bench::client
