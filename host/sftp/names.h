// SPDX-License-Identifier: Apache-2.0
//
// Names of numeric owners, remembered per channel: a listing asks for the same few again and again. Used by one request
// at a time, on workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "host/vfs/session_fs.h"

namespace host::sftp {

class OwnerNames {
 public:
  static constexpr std::size_t kMaxNameBytes = 64;

  // Valid until the next call.
  const std::string& user(vfs::SessionFs& fs, const vfs::VirtualPath& path, std::uint32_t uid);
  const std::string& group(vfs::SessionFs& fs, const vfs::VirtualPath& path, std::uint32_t gid);

 private:
  enum class Kind { kUser, kGroup };
  const std::string& find(Kind kind, vfs::SessionFs& fs, const vfs::VirtualPath& path, std::uint32_t id);

  // Numbers mean the same to all mounts of one storage, and each storage has its pool.
  std::map<std::tuple<const core::WorkerPool*, Kind, std::uint32_t>, std::string> kept_;
};

}  // namespace host::sftp
