// SPDX-License-Identifier: Apache-2.0
//
// Compares function and text of libssh's lines; a black-box test notices when another version words them otherwise, and
// then the login grace still ends such a session.
#include "host/ssh/signature_watch.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <string_view>

namespace host::ssh {

SignatureWatch::SignatureWatch() {
  ssh_set_log_callback(&SignatureWatch::on_line);
  ssh_set_log_userdata(this);
  ssh_set_log_level(SSH_LOG_PACKET);
}

SignatureWatch::~SignatureWatch() {
  ssh_set_log_level(SSH_LOG_NONE);
  ssh_set_log_userdata(nullptr);
}

void SignatureWatch::on_line(int, const char* function, const char* line, void* self) {
  if (self == nullptr || function == nullptr || line == nullptr) return;
  const std::string_view text(line);
  if (std::string_view(function) != "ssh_packet_userauth_request") return;
  if (text.find("nvalid signature") == text.npos) return;
  static_cast<SignatureWatch*>(self)->bad_ = true;
}

}  // namespace host::ssh
