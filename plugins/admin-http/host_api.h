// SPDX-License-Identifier: Apache-2.0
//
// The host's tables, and calls on them as values. Any thread; calls block.
#pragma once

#include <sallyport/ext/host_ext.h>

#include <sallyport/cpp/base.hpp>
#include <string>

namespace admin_http {

struct Reply {
  sp_status status = SP_OK;
  std::string text;   // the result
  std::string error;  // why not
  explicit operator bool() const { return status == SP_OK; }
};

class HostApi {
 public:
  static sallyport::Outcome<HostApi> find(const sp_host& host);

  const sp_host_users* users = nullptr;
  const sp_host_jobs* jobs = nullptr;
  const sp_host_sessions* sessions = nullptr;
  const sp_host_bans* bans = nullptr;
  const sp_host_info* info = nullptr;
};

namespace detail {
sp_status SP_CALL append(void* text, sp_bytes part) noexcept;
}

// Calls `call(const sp_sink*, sp_error*)`.
template <class Call>
Reply ask(Call&& call) {
  Reply reply;
  sp_error error{};
  error.struct_size = sizeof error;
  const sp_sink sink{&reply.text, &detail::append};
  reply.status = call(&sink, &error);
  if (reply.status != SP_OK) reply.error = error.message[0] != '\0' ? error.message : "the server could not do it";
  return reply;
}

}  // namespace admin_http
