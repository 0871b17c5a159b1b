// SPDX-License-Identifier: Apache-2.0
//
// What every file and directory of a session shares. Held by shared_ptr, so that the mounts outlive what was opened on
// them. Immutable; any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/core/limits.h"
#include "host/vfs/gate.h"
#include "host/vfs/mounts.h"
#include "host/vfs/name_filter.h"
#include "host/vfs/session_fs.h"
#include "host/vfs/session_quota.h"
#include "host/vfs/unseen_uploads.h"
#include "host/vfs/waiting_bytes.h"

namespace host::vfs {

// The system's owner that an account stands for; kKeep: none.
inline std::uint32_t mapped_id(std::int64_t id) {
  return id > 0 && id <= users::kMaxMappedId ? static_cast<std::uint32_t>(id) : Attrs::kKeep;
}

// Of a call for that session that starts now.
inline plugin::Op storage_op(std::uint64_t session_number) {
  const auto deadline = std::chrono::steady_clock::now().time_since_epoch() + core::limits::kStorageCallTime;
  return {.session_id = session_number,
          .deadline_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(deadline).count()};
}

struct Context {
  Context(std::vector<Mount> mounts_in, Identity identity_in, const Options& options_in)
      : identity(std::move(identity_in)),
        options(options_in),
        gate(identity.user, options.lax_rename),
        names(identity.user),
        quota{options.quotas != nullptr ? options.quotas->of(identity.user) : nullptr,
              {identity.user.quota_size, identity.user.quota_files, identity.session_number}},
        early_writes(std::make_shared<WaitingBytes>()),
        unseen(std::make_shared<UnseenUploads>()),
        shared_mounts(std::make_shared<const Mounts>(std::move(mounts_in))),
        mounts(*shared_mounts) {}
  // The same for another protocol of the connection.
  Context(const Context& other, std::string protocol)
      : identity(with_protocol(other.identity, std::move(protocol))),
        options(other.options),
        gate(identity.user, options.lax_rename),
        names(identity.user),
        quota(other.quota),
        early_writes(other.early_writes),
        unseen(other.unseen),
        shared_mounts(other.shared_mounts),
        mounts(*shared_mounts) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Identity identity;
  const Options options;
  const Gate gate;
  const NameFilter names;
  const SessionQuota quota;
  const std::shared_ptr<WaitingBytes> early_writes;
  const std::shared_ptr<UnseenUploads> unseen;
  const std::shared_ptr<const Mounts> shared_mounts;
  const Mounts& mounts;

  // Context of a storage call that starts now.
  plugin::Op op() const { return storage_op(identity.session_number); }
  // Of one that ends a file which its client has closed: that it has left since takes nothing back.
  plugin::Op op_to_the_end() const {
    auto op = this->op();
    op.session_id = 0;
    return op;
  }
  plugin::Op op_without_waiting() const { return {.session_id = identity.session_number, .nowait = true}; }

 private:
  static Identity with_protocol(Identity identity, std::string protocol) {
    identity.protocol = std::move(protocol);
    return identity;
  }
};

// The SessionFs over mounts that exist already; SessionFs::mount ends here.
std::shared_ptr<SessionFs> make_session_fs(std::vector<Mount> mounts, Identity identity, const Options& options);

}  // namespace host::vfs
