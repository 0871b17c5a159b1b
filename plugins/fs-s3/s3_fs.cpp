// SPDX-License-Identifier: Apache-2.0
//
// Operations on paths, each as few requests as its answer needs. On the host's workers. Renaming is in s3_rename.cpp.
#include "s3_fs.h"

#include <utility>

#include "shared.h"

namespace fs_s3 {
namespace {

constexpr std::uint32_t kReadsAtOnce = 4;

Failure failure(sp_status status, const char* text) { return {status, text, 0}; }

}  // namespace

sp_fs_caps S3Fs::caps() const {
  std::uint64_t flags = SP_FS_PARALLEL_IO | SP_FS_NOWAIT_READ | SP_FS_RENAME_REPLACE | SP_FS_SET_PERMS |
                        SP_FS_SET_OWNER | SP_FS_PUBLISH_ON_CLOSE;
  if (keeps_times()) flags |= SP_FS_SET_TIMES;
  if (shared_.settings.resume) flags |= SP_FS_RESUME;
  return {sizeof(sp_fs_caps), kReadsAtOnce, flags, 0};
}

bool S3Fs::keeps_times() const { return shared_.settings.times != Settings::Times::kStore; }

// The object of that name first; then whether any key begins with the name of a directory. No listing of the parent.
Outcome<S3Fs::Found> S3Fs::look(const Stop& stop, std::string_view path) {
  if (keys_.is_root(path)) {
    if (keys_.prefix().empty()) {
      if (auto there = client_->head_bucket(stop); !there) return std::move(there.failure());
    }
    return Found{Kind::kDir, {}};
  }
  const std::string key = keys_.file(path);
  if (!Keys::fits(key)) return failure(SP_E_NAME_TOO_LONG, "the key would be longer than a store allows");
  auto info = client_->head(stop, key);
  if (info) return Found{Kind::kFile, std::move(*info)};
  if (info.failure().status != SP_E_NOT_FOUND) return std::move(info.failure());
  auto below = client_->list(stop, {.prefix = keys_.directory(path), .whole_tree = true, .max = 1});
  if (!below) return std::move(below.failure());
  return Found{below->entries.empty() ? Kind::kNothing : Kind::kDir, {}};
}

// A store takes a key below that of an object: nobody would find what it is of.
Outcome<void> S3Fs::check_parent(const Stop& stop, std::string_view path) {
  const std::string_view parent = path.substr(0, std::min(path.rfind('/'), path.size()));
  if (keys_.is_root(parent)) return {};
  const std::string key = keys_.file(parent), name = client_->whole_name(key);
  if (shared_.parents_seen.knows(name)) return {};
  const auto before = shared_.parents_seen.forgotten();
  auto info = client_->head(stop, key);
  if (info) return failure(SP_E_NOT_DIR, "what it would lie in is a file");
  if (info.failure().status != SP_E_NOT_FOUND) return std::move(info.failure());
  shared_.parents_seen.add(name, before);
  return {};
}

Outcome<sp_attrs> S3Fs::stat(const sp_op& op, std::string_view path, std::uint32_t) {
  auto found = look(shared_.stop_of(op), path);
  if (!found) return std::move(found.failure());
  switch (found->kind) {
    case Kind::kFile: return file_attrs(owner_, found->info.size, shown_mtime(shared_.settings, found->info));
    case Kind::kDir: return dir_attrs(owner_);
    default: return failure(SP_E_NOT_FOUND, "no such key");
  }
}

Outcome<void> S3Fs::set_attrs(const sp_op& op, std::string_view path, std::uint32_t, const sp_attrs& attrs) {
  const bool times = (attrs.valid & (SP_ATTR_MTIME | SP_ATTR_ATIME)) != 0;
  if ((attrs.valid & SP_ATTR_SIZE) != 0 || (times && !keeps_times())) {
    return failure(SP_E_UNSUPPORTED, "a store keeps no times and changes no sizes");
  }
  const auto stop = shared_.stop_of(op);
  auto found = look(stop, path);
  if (!found) return std::move(found.failure());
  if (found->kind == Kind::kNothing) return failure(SP_E_NOT_FOUND, "no such key");
  if (times && found->kind == Kind::kDir) return failure(SP_E_UNSUPPORTED, "a directory has no time of its own");
  if ((attrs.valid & SP_ATTR_MTIME) == 0) return {};
  Nature nature = found->info.nature;
  if (kept_mtime(nature) == attrs.mtime_ns) return {};
  keep_mtime(nature, attrs.mtime_ns);
  const std::string key = keys_.file(path);
  return client_->copy(stop, key, key, found->info, &nature);
}

Outcome<std::unique_ptr<S3File>> S3Fs::open(const sp_op& op, std::string_view path, const sp_open_args& args) {
  auto found = look(shared_.stop_of(op), path);
  if (!found) return std::move(found.failure());
  if (found->kind == Kind::kDir) return failure(SP_E_IS_DIR, "a directory");
  const bool there = found->kind == Kind::kFile;
  if ((args.flags & SP_OPEN_WRITE) == 0) {
    if (!there) return failure(SP_E_NOT_FOUND, "no such key");
    return S3File::to_read(shared_, memory_, client_, keys_.file(path), found->info, owner_);
  }
  if (!there && (args.flags & SP_OPEN_CREATE) == 0) return failure(SP_E_NOT_FOUND, "no such key");
  if (there && (args.flags & SP_OPEN_EXCLUSIVE) != 0) return failure(SP_E_EXISTS, "the key exists");
  if (!there) {
    if (auto fits = check_parent(shared_.stop_of(op), path); !fits) return std::move(fits.failure());
  }
  const bool goes_on = there && (args.flags & SP_OPEN_TRUNCATE) == 0;
  if (goes_on && !shared_.settings.resume) {
    return failure(SP_E_UNSUPPORTED, "an object can be replaced, not changed");
  }
  return S3File::to_write(shared_, memory_, client_, keys_.file(path), goes_on ? &found->info : nullptr,
                          (args.flags & SP_OPEN_EXCLUSIVE) != 0, owner_);
}

Outcome<std::unique_ptr<S3Dir>> S3Fs::open_dir(const sp_op& op, std::string_view path) {
  return open_listing(op, path, false);
}

Outcome<std::unique_ptr<S3Dir>> S3Fs::open_tree(const sp_op& op, std::string_view path) {
  return open_listing(op, path, true);
}

Outcome<std::unique_ptr<S3Dir>> S3Fs::open_listing(const sp_op& op, std::string_view path, bool tree) {
  const auto stop = shared_.stop_of(op);
  const S3Client::Listing what{.prefix = keys_.directory(path), .whole_tree = tree};
  if (!Keys::fits(what.prefix)) return failure(SP_E_NAME_TOO_LONG, "the key would be longer than a store allows");
  auto page = client_->list(stop, what);
  if (!page) return std::move(page.failure());
  if (page->entries.empty() && page->next.empty() && !keys_.is_root(path)) {
    auto found = look(stop, path);
    if (!found) return std::move(found.failure());
    if (found->kind == Kind::kFile) return failure(SP_E_NOT_DIR, "a file");
    if (found->kind == Kind::kNothing) return failure(SP_E_NOT_FOUND, "no key begins so");
  }
  return std::make_unique<S3Dir>(shared_, client_, what, std::move(*page), owner_);
}

Outcome<void> S3Fs::mkdir(const sp_op& op, std::string_view path, const sp_attrs*) {
  const auto stop = shared_.stop_of(op);
  auto found = look(stop, path);
  if (!found) return std::move(found.failure());
  if (found->kind != Kind::kNothing) return failure(SP_E_EXISTS, "there are keys that begin so");
  const std::string key = keys_.directory(path);
  if (!Keys::fits(key)) return failure(SP_E_NAME_TOO_LONG, "the key would be longer than a store allows");
  if (auto fits = check_parent(stop, path); !fits) return fits;
  return client_->put(stop, key, client_->nature_of(key), {});
}

// Nothing but its own marker.
Outcome<bool> S3Fs::is_empty(const Stop& stop, std::string_view directory) {
  const std::string prefix = keys_.directory(directory);
  auto page = client_->list(stop, {.prefix = prefix, .whole_tree = true, .max = 2});
  if (!page) return std::move(page.failure());
  for (const auto& entry : page->entries) {
    if (entry.key != prefix) return false;
  }
  return true;
}

Outcome<void> S3Fs::remove_dir(const Stop& stop, std::string_view path) {
  if (keys_.is_root(path)) return failure(SP_E_DENIED, "the root stays");
  auto empty = is_empty(stop, path);
  if (!empty) return std::move(empty.failure());
  if (!*empty) return failure(SP_E_NOT_EMPTY, "there are keys below it");
  auto removed = client_->remove(stop, keys_.directory(path));
  shared_.parents_seen.forget(client_->whole_name(keys_.file(path)));
  return removed;
}

Outcome<void> S3Fs::remove(const sp_op& op, std::string_view path, std::uint32_t kind) {
  const auto stop = shared_.stop_of(op);
  auto found = look(stop, path);
  if (!found) return std::move(found.failure());
  if (found->kind == Kind::kNothing) return failure(SP_E_NOT_FOUND, "no such key");
  if (kind == SP_REMOVE_DIR) {
    return found->kind == Kind::kDir ? remove_dir(stop, path) : failure(SP_E_NOT_DIR, "a file");
  }
  if (found->kind == Kind::kDir) return failure(SP_E_IS_DIR, "a directory");
  return client_->remove(stop, keys_.file(path));
}

Outcome<std::string> S3Fs::real_path(std::string_view path) {
  return "/" + (keys_.is_root(path) ? keys_.prefix() : keys_.file(path));
}

}  // namespace fs_s3
