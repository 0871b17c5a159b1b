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
  note(user.quota_size > 0, "quota_size");
  note(user.quota_files > 0, "quota_files");
  note(!user.virtual_folders.empty(), "virtual_folders");
  if (!fields.empty()) core::log::warn("auth", "", "user " + user.username + ": this version does not apply " + fields);
}

}  // namespace host::auth
