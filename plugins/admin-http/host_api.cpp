// SPDX-License-Identifier: Apache-2.0
//
// Finds the tables once, at start.
#include "host_api.h"

namespace admin_http {

sp_status SP_CALL detail::append(void* text, sp_bytes part) noexcept {
  try {
    static_cast<std::string*>(text)->append(static_cast<const char*>(part.ptr), part.len);
    return SP_OK;
  } catch (...) {
    return SP_E_INTERNAL;
  }
}

sallyport::Outcome<HostApi> HostApi::find(const sp_host& host) {
  HostApi api;
  api.users = static_cast<const sp_host_users*>(host.extension(&host, SP_EXT_HOST_USERS));
  api.jobs = static_cast<const sp_host_jobs*>(host.extension(&host, SP_EXT_HOST_JOBS));
  api.sessions = static_cast<const sp_host_sessions*>(host.extension(&host, SP_EXT_HOST_SESSIONS));
  api.bans = static_cast<const sp_host_bans*>(host.extension(&host, SP_EXT_HOST_BANS));
  api.info = static_cast<const sp_host_info*>(host.extension(&host, SP_EXT_HOST_INFO));
  if (api.users == nullptr || api.jobs == nullptr || api.sessions == nullptr || api.bans == nullptr ||
      api.info == nullptr) {
    return sallyport::Failure{SP_E_UNSUPPORTED,
                              "this host offers not all of " SP_EXT_HOST_USERS ", " SP_EXT_HOST_JOBS
                              ", " SP_EXT_HOST_SESSIONS ", " SP_EXT_HOST_BANS " and " SP_EXT_HOST_INFO,
                              0};
  }
  return api;
}

}  // namespace admin_http
