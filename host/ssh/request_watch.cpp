// SPDX-License-Identifier: Apache-2.0
//
// Compares function and text of libssh's lines; black-box tests notice when another version words them otherwise, and
// then the login grace still ends a session that waits.
#include "host/ssh/request_watch.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <string_view>

namespace host::ssh {

RequestWatch::RequestWatch(unsigned& requests) {
  ssh_set_log_callback(&RequestWatch::on_line);
  ssh_set_log_userdata(&requests);
  ssh_set_log_level(SSH_LOG_PACKET);
}

RequestWatch::~RequestWatch() {
  ssh_set_log_level(SSH_LOG_NONE);
  ssh_set_log_userdata(nullptr);
}

void RequestWatch::on_line(int, const char* function, const char* line, void* requests) {
  if (requests == nullptr || function == nullptr || line == nullptr) return;
  if (std::string_view(function) != "ssh_packet_userauth_request") return;
  // The line may begin with the function's name.
  if (std::string_view(line).find("Auth request for service") == std::string_view::npos) return;
  ++*static_cast<unsigned*>(requests);
}

}  // namespace host::ssh
