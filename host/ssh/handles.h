// SPDX-License-Identifier: Apache-2.0
//
// Owners for libssh objects.
#pragma once

#include <libssh/libssh.h>
#include <libssh/server.h>

#include <memory>

namespace host::ssh {

struct LibsshDeleter {
  void operator()(ssh_bind bind) const { ssh_bind_free(bind); }
  void operator()(ssh_key key) const { ssh_key_free(key); }
  void operator()(ssh_message message) const { ssh_message_free(message); }
  void operator()(ssh_string text) const { ssh_string_free(text); }
  void operator()(char* text) const { ssh_string_free_char(text); }
};

using BindPtr = std::unique_ptr<ssh_bind_struct, LibsshDeleter>;
using KeyPtr = std::unique_ptr<ssh_key_struct, LibsshDeleter>;
using MessagePtr = std::unique_ptr<ssh_message_struct, LibsshDeleter>;
using StringPtr = std::unique_ptr<ssh_string_struct, LibsshDeleter>;
using CharPtr = std::unique_ptr<char, LibsshDeleter>;

}  // namespace host::ssh
