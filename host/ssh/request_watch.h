// SPDX-License-Identifier: Apache-2.0
//
// libssh 0.10 drops some authentication requests without an answer and without a message: bad signatures, keys of a
// type it does not know. Its log tells of every request that arrives. Log level and receiver belong to the thread, so a
// watch sees the session that is polled while it lives.
#pragma once

namespace host::ssh {

class RequestWatch {
 public:
  // Counts into `requests`.
  explicit RequestWatch(unsigned& requests);
  ~RequestWatch();
  RequestWatch(const RequestWatch&) = delete;
  RequestWatch& operator=(const RequestWatch&) = delete;

 private:
  static void on_line(int priority, const char* function, const char* line, void* requests);
};

}  // namespace host::ssh
