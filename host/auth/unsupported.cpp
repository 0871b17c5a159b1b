// SPDX-License-Identifier: Apache-2.0
//
// The list of account settings without effect yet, announced at login. Each entry goes when its feature comes.
#include "host/auth/unsupported.h"

#include "host/core/log.h"

namespace host::auth {

void warn_unenforced(const users::User& user) {
  std::string fields;
  const auto note = [&](bool set, const char* field) {
    if (set) fields += (fields.empty() ? "" : ", ") + std::string(field);
  };
  note(user.upload_bandwidth > 0, "upload_bandwidth");
  note(user.download_bandwidth > 0, "download_bandwidth");
  if (!fields.empty()) core::log::warn("auth", "", "user " + user.username + ": this version does not apply " + fields);
}

}  // namespace host::auth
