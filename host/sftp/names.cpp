// SPDX-License-Identifier: Apache-2.0
//
// The bound is kept by starting anew, which a directory with very many owners pays with repeated look-ups only.
#include "host/sftp/names.h"

#include "host/core/limits.h"

namespace host::sftp {

const std::string& OwnerNames::user(vfs::SessionFs& fs, const vfs::VirtualPath& path, std::uint32_t uid) {
  return find(Kind::kUser, fs, path, uid);
}

const std::string& OwnerNames::group(vfs::SessionFs& fs, const vfs::VirtualPath& path, std::uint32_t gid) {
  return find(Kind::kGroup, fs, path, gid);
}

const std::string& OwnerNames::find(Kind kind, vfs::SessionFs& fs, const vfs::VirtualPath& path, std::uint32_t id) {
  const auto key = std::tuple(&fs.pool(path), kind, id);
  const auto known = kept_.find(key);
  if (known != kept_.end()) return known->second;
  if (kept_.size() >= core::limits::kMaxOwnerNames) kept_.clear();
  auto name = kind == Kind::kUser ? fs.user_name(path, id) : fs.group_name(path, id);
  if (name.empty() || name.size() > kMaxNameBytes) name = std::to_string(id);
  return kept_.emplace(key, std::move(name)).first->second;
}

}  // namespace host::sftp
