// SPDX-License-Identifier: Apache-2.0
//
// The table of rights. Pure functions, any thread.
#include "host/users/permission_names.h"

#include "host/users/user.h"

namespace host::users {
namespace {

struct Name {
  std::string_view text;
  std::uint32_t bit;
};

constexpr Name kNames[] = {
    {"list", kList},     {"download", kDownload}, {"upload", kUpload},          {"overwrite", kOverwrite},
    {"rename", kRename}, {"delete", kDelete},     {"create_dirs", kCreateDirs}, {"create_symlinks", kCreateSymlinks},
    {"chmod", kChmod},   {"chown", kChown},       {"chtimes", kChtimes},
};

}  // namespace

std::optional<std::uint32_t> permission_bits(std::string_view name) {
  if (name == "*") return kAll;
  for (const auto& entry : kNames) {
    if (entry.text == name) return entry.bit;
  }
  return std::nullopt;
}

std::vector<std::string_view> permission_names(std::uint32_t bits) {
  if ((bits & kAll) == kAll) return {"*"};
  std::vector<std::string_view> out;
  for (const auto& entry : kNames) {
    if ((bits & entry.bit) != 0) out.push_back(entry.text);
  }
  return out;
}

}  // namespace host::users
