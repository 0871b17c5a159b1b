// SPDX-License-Identifier: Apache-2.0
//
// Streams a directory: readdir's own buffer and one entry are all that is held. Worker threads, one at a time.
#include "local_dir.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "attrs.h"
#include "errors.h"

namespace fs_local {
namespace {

bool is_dots(const char* name) { return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')); }

std::uint32_t type_of(unsigned char d_type) {
  switch (d_type) {
    case DT_REG: return SP_TYPE_FILE;
    case DT_DIR: return SP_TYPE_DIR;
    case DT_LNK: return SP_TYPE_SYMLINK;
    default: return SP_TYPE_OTHER;
  }
}

}  // namespace

// False: the entry is gone.
bool LocalDir::attrs_of_entry(const dirent& entry, sp_attrs& attrs) const {
  struct stat st {};
  if (::fstatat(::dirfd(stream_.get()), entry.d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    attrs = attrs_of(st);
    return true;
  }
  if (errno == ENOENT) return false;
  // Readable but not searchable: the names, and perhaps the types, are all there is to know.
  attrs = {};
  attrs.struct_size = sizeof attrs;
  if (entry.d_type != DT_UNKNOWN) {
    attrs.valid = SP_ATTR_TYPE;
    attrs.type = type_of(entry.d_type);
  }
  return true;
}

sallyport::Outcome<bool> LocalDir::next(const sp_op&, std::uint32_t max, const sallyport::EntrySink& sink) {
  for (std::uint32_t offered = 0; offered < max;) {
    const dirent* entry = std::exchange(kept_, nullptr);
    if (entry == nullptr) {
      errno = 0;
      entry = ::readdir(stream_.get());
      if (entry == nullptr && errno != 0) return failed("list", path_);
      if (entry == nullptr) return true;
    }
    sp_attrs attrs;
    if (is_dots(entry->d_name) || !attrs_of_entry(*entry, attrs)) continue;
    const sp_status status = sink.add(entry->d_name, attrs);
    if (status != SP_OK) {
      kept_ = entry;
      if (status == SP_E_FULL) return false;
      return refused(status, "list", path_, "the host stopped it");
    }
    ++offered;
  }
  return false;
}

}  // namespace fs_local
