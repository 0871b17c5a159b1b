// SPDX-License-Identifier: Apache-2.0
//
// Between struct stat and the ABI's attributes.
#pragma once

#include <sys/stat.h>

#include <sallyport/cpp/base.hpp>
#include <string_view>

namespace fs_local {

sp_attrs attrs_of(const struct stat& st);

// Applies the valid members to what `fd` names (any kind of descriptor, also of a link): size, owner, permissions,
// times; stops at the first failure. A size needs a descriptor open for writing. `path` is for the log.
sallyport::Outcome<void> apply_attrs(int fd, const sp_attrs& attrs, std::string_view path);

}  // namespace fs_local
