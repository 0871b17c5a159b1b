// SPDX-License-Identifier: Apache-2.0
//
// Locks are taken in one order: a file's, then the table's. Any thread; touches no storage.
#include "host/vfs/counted_files.h"

#include <vector>

namespace host::vfs {

std::pair<CountedFiles::FilePtr, bool> CountedFiles::attach(const core::VirtualPath& path) {
  const std::lock_guard lock(mutex_);
  auto& file = files_[path];
  const bool first = !file;
  if (first) {
    file = std::make_shared<File>();
    file->path_ = path;
  }
  ++file->writers_;
  return {file, first};
}

bool CountedFiles::detach(const FilePtr& file) {
  const std::lock_guard lock(mutex_);
  if (--file->writers_ > 0) return false;
  erase(*file);
  return true;
}

bool CountedFiles::has(const core::VirtualPath& path, const FilePtr& file) {
  const std::lock_guard lock(mutex_);
  const auto entry = files_.find(path);
  return entry != files_.end() && entry->second == file;
}

void CountedFiles::forget(const FilePtr& file) {
  const std::lock_guard lock(mutex_);
  erase(*file);
}

void CountedFiles::erase(const File& file) {
  if (const auto entry = files_.find(file.path_); entry != files_.end() && entry->second.get() == &file)
    files_.erase(entry);
}

void CountedFiles::moved(const core::VirtualPath& from, const core::VirtualPath& to) {
  const std::lock_guard lock(mutex_);
  std::vector<FilePtr> found;
  for (auto entry = files_.lower_bound(from); entry != files_.end();) {
    const auto& path = entry->first.str();
    if (path.compare(0, from.str().size(), from.str()) != 0) break;
    if (entry->first.is_within(from)) {
      found.push_back(std::move(entry->second));
      entry = files_.erase(entry);
    } else {
      ++entry;  // "/a.b" lies between "/a" and "/a/c"
    }
  }
  for (auto& file : found) {
    file->path_ = core::VirtualPath::clean(to.str() + file->path_.below(from));
    files_[file->path_] = std::move(file);
  }
}

}  // namespace host::vfs
