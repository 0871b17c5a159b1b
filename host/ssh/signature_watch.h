// SPDX-License-Identifier: Apache-2.0
//
// libssh 0.10 drops a request with a bad signature without an answer and without a message; the only trace is a line in
// its log. Log level and receiver belong to the thread, so a watch sees the session that is polled while it lives.
#pragma once

namespace host::ssh {

class SignatureWatch {
 public:
  SignatureWatch();
  ~SignatureWatch();
  SignatureWatch(const SignatureWatch&) = delete;
  SignatureWatch& operator=(const SignatureWatch&) = delete;

  bool saw_bad_signature() const { return bad_; }

 private:
  static void on_line(int priority, const char* function, const char* line, void* self);
  bool bad_ = false;
};

}  // namespace host::ssh
