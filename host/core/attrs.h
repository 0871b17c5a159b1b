// SPDX-License-Identifier: Apache-2.0
//
// File attributes inside the host. Only members named in `valid` mean anything.
#pragma once

#include <cstdint>

namespace host::core {

enum class FileType : std::uint32_t { kUnknown = 0, kFile = 1, kDir = 2, kSymlink = 3, kOther = 4 };

struct Attrs {
  enum Valid : std::uint32_t {
    kType = 1,
    kPerms = 2,
    kOwner = 4,  // uid and gid; kKeep leaves one as it is
    kSize = 8,
    kMtime = 16,
    kAtime = 32,
    kNlink = 64,
  };
  static constexpr std::uint32_t kKeep = 0xffffffff;

  std::uint32_t valid = 0;
  FileType type = FileType::kUnknown;
  std::uint32_t perms = 0;  // low 12 bits of a POSIX mode
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t nlink = 1;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;  // since 1970
  std::int64_t atime_ns = 0;

  bool has(Valid bit) const { return (valid & bit) != 0; }
};

}  // namespace host::core
