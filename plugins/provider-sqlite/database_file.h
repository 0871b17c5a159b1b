// SPDX-License-Identifier: Apache-2.0
//
// The database as a file, before SQLite sees it. One implementation per operating system.
#pragma once

#include <cstdint>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>

namespace provider_sqlite {

// Fails with a text that names the path and says what to do when the file cannot be used. With `create` a missing file
// is made, empty and for its owner only; true then.
sallyport::Outcome<bool> prepare_file(const std::string& path, bool create);
// Is the file readable for others than its owner and group? It holds password hashes.
bool is_world_readable(const std::string& path);
// Which file it is, whatever it holds; nothing when there is none.
struct FileId {
  std::uint64_t device, number;
  bool operator==(const FileId&) const = default;
};
std::optional<FileId> file_id(const std::string& path);
void remove_file(const std::string& path);

}  // namespace provider_sqlite
