// SPDX-License-Identifier: Apache-2.0
//
// From an account to its mounts: the home, and one for each virtual folder. On the storage's workers.
#include "host/vfs/session_fs.h"

#include <utility>

#include "host/core/log.h"
#include "host/users/secrets.h"
#include "host/vfs/mounted_fs.h"

namespace host::vfs {
namespace {

// A folder is a directory of this machine, whatever the home is. That it is missing keeps nobody out of the rest.
constexpr std::string_view kFolderStorage = "fs-local";

plugin::MountArgs mount_args(const Identity& identity, const Options& options, std::string root) {
  const users::User& user = identity.user;
  return {.uid = mapped_id(user.uid),
          .gid = mapped_id(user.gid),
          .umask = options.umask,
          .session_id = identity.session_number,
          .follow_links = user.filters.file_extensions.empty(),
          .user = user.username,
          .root = std::move(root)};
}

// What leads to a folder should be seen in listings, so it has to exist in the home.
void make_way(plugin::Fs& home, const VirtualPath& folder, const Identity& identity, const Options& options) {
  const VirtualPath parent = folder.parent();
  if (parent.is_root()) return;
  make_way(home, parent, identity, options);
  Attrs attrs;
  attrs.valid = Attrs::kPerms;
  attrs.perms = 0777U & ~options.umask;
  auto made = home.mkdir(storage_op(identity.session_number), {parent.str()}, &attrs);
  if (made || made.error().status == core::Status::kExists) return;
  core::log::warn(journal::kSender, identity.connection_id,
                  "the way to virtual folder \"" + folder.str() + "\" cannot be made: " + made.error().message());
}

void warn_if_missing(plugin::Fs& fs, const users::VirtualFolder& folder, const Identity& identity) {
  const auto attrs = fs.stat(storage_op(identity.session_number), {}, true);
  if (attrs) return;
  core::log::warn(journal::kSender, identity.connection_id,
                  "virtual folder \"" + folder.virtual_path + "\" of user \"" + identity.user.username +
                      "\" cannot be used: " + attrs.error().message());
}

Result<std::vector<Mount>> mount_all(plugin::Registry& registry, const Identity& identity, const Options& options) {
  const users::User& user = identity.user;
  auto storage = registry.storage(user.filesystem.backend, identity.session_number);
  if (!storage) return storage.error();
  auto args = mount_args(identity, options, user.home_dir);
  auto settings = users::plain_settings(user, registry, options.master_keys);
  if (!settings) return settings.error();
  args.settings_json = *std::move(settings);
  args.make_root = options.make_home;
  auto home = (*storage)->mount(storage_op(identity.session_number), std::move(args));
  if (!home) return home.error();
  std::vector<Mount> mounts;
  mounts.push_back({VirtualPath(), *std::move(home)});
  if (user.virtual_folders.empty()) return mounts;
  auto folders = registry.storage(kFolderStorage, identity.session_number);
  if (!folders) return folders.error();
  for (const auto& folder : user.virtual_folders) {
    const auto at = VirtualPath::clean(folder.virtual_path);
    if (options.make_home) make_way(*mounts.front().fs, at, identity, options);
    auto folder_args = mount_args(identity, options, folder.mapped_path);
    folder_args.make_root = false;
    auto fs = (*folders)->mount(storage_op(identity.session_number), std::move(folder_args));
    if (!fs) return fs.error();
    if (options.make_home) warn_if_missing(**fs, folder, identity);
    mounts.push_back({at, *std::move(fs)});
  }
  return mounts;
}

}  // namespace

std::shared_ptr<SessionFs> make_session_fs(std::vector<Mount> mounts, Identity identity, const Options& options) {
  return std::make_shared<MountedFs>(std::move(mounts), std::move(identity), options);
}

std::shared_ptr<SessionFs> SessionFs::for_protocol(const std::shared_ptr<SessionFs>& fs, std::string protocol) {
  auto view = fs->view_for(std::move(protocol));
  auto* plain = view.get();
  // The mounts are let go by `fs`, which knows on which thread.
  return std::shared_ptr<SessionFs>(plain, [owner = fs, view = std::move(view)](SessionFs*) mutable {
    view.reset();
    owner.reset();
  });
}

Result<core::WorkerPool*> SessionFs::mount_pool(plugin::Registry& registry, const Identity& identity) {
  auto storage = registry.storage(identity.user.filesystem.backend, identity.session_number);
  if (!storage) return storage.error();
  return &(*storage)->pool();  // the registry keeps its storages
}

Result<std::shared_ptr<SessionFs>> SessionFs::mount(plugin::Registry& registry, Identity identity,
                                                    const Options& options) {
  auto mounts = mount_all(registry, identity, options);
  if (!mounts) {
    core::log::warn(journal::kSender, identity.connection_id,
                    "home of user \"" + identity.user.username + "\" is not available: " + mounts.error().message());
    return mounts.error();
  }
  auto storage = registry.storage(identity.user.filesystem.backend);
  if (!storage) return storage.error();
  // Unmounting may block: wherever the last owner lets go, it happens on the storage's pool.
  auto* pool = &(*storage)->pool();
  auto session = make_session_fs(*std::move(mounts), std::move(identity), options);
  auto* plain = session.get();
  return std::shared_ptr<SessionFs>(plain, [pool, session = std::move(session)](SessionFs*) mutable {
    pool->submit_cleanup([session = std::move(session)]() mutable { session.reset(); });
  });
}

}  // namespace host::vfs
