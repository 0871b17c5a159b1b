// SPDX-License-Identifier: Apache-2.0
//
// Whose files these are, and what the operator wants of all sessions. Values, frozen at login.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/events/events.h"
#include "host/users/user.h"
#include "host/vfs/activity.h"
#include "host/vfs/throttle.h"

namespace host::users {
class MasterKeys;
}

namespace host::vfs {

// Who is logged in, over which protocol.
struct Identity {
  users::User user;
  std::string connection_id;  // hex SSH session id, for logs
  std::string client_version;
  bool links_by_draft = false;  // the client sends SYMLINK as filexfer-02 has it: first the link, then its target
  std::string remote_address;   // "ip:port"
  std::uint64_t session_number = 0;
  std::string protocol = "SFTP";       // for transfer and command lines
  std::shared_ptr<Activity> activity;  // where transfers show up while they are open; null: nowhere
  Throttle throttle;
};

enum class UploadMode : std::uint8_t {
  kInPlace = 0,
  kAtomic = 1,        // the file appears, or is replaced, when it is whole; a failed upload leaves nothing
  kAtomicResume = 2,  // the same, but what a failed upload has brought is kept under the name, to be continued
};

class Quotas;
struct Options {
  std::uint32_t umask = 022;
  UploadMode upload_mode = UploadMode::kInPlace;
  Quotas* quotas = nullptr;                  // outlives all sessions; null: nothing is counted
  events::Events* events = nullptr;          // the same; null: nobody is told or asked
  users::MasterKeys* master_keys = nullptr;  // the same; null: no account has secrets
  bool lax_rename = false;                   // rename_mode 1: the target's side decides, and every rename replaces
  bool make_home = true;                     // a missing home appears when it is mounted
  bool ignore_setstat = false;  // setstat_mode 1: owner, permissions and times are answered, not applied; size is
};

}  // namespace host::vfs
