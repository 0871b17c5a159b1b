// SPDX-License-Identifier: Apache-2.0
//
// What a store does not know of its objects and clients want to see all the same.
#pragma once

#include <sallyport/base.h>

#include <cstdint>

namespace fs_s3 {

struct Owner {
  std::uint32_t uid = 0, gid = 0;
};

inline sp_attrs attrs_of(std::uint32_t type, std::uint32_t perms, Owner owner, std::uint64_t size,
                         std::int64_t mtime_ns) {
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  attrs.valid = SP_ATTR_TYPE | SP_ATTR_PERMS | SP_ATTR_OWNER | SP_ATTR_SIZE | SP_ATTR_MTIME | SP_ATTR_ATIME;
  attrs.type = type;
  attrs.perms = perms;
  attrs.uid = owner.uid;
  attrs.gid = owner.gid;
  attrs.size = size;
  attrs.mtime_ns = attrs.atime_ns = mtime_ns;
  return attrs;
}
inline sp_attrs file_attrs(Owner owner, std::uint64_t size, std::int64_t mtime_ns) {
  return attrs_of(SP_TYPE_FILE, 0644, owner, size, mtime_ns);
}
// Directories have no time of their own: 1970.
inline sp_attrs dir_attrs(Owner owner) { return attrs_of(SP_TYPE_DIR, 0755, owner, 0, 0); }

}  // namespace fs_s3
