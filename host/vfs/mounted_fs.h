// SPDX-License-Identifier: Apache-2.0
//
// The SessionFs of a user's mounts. mounted_fs.cpp: operations on names; session_fs.cpp: how the mounts come about.
// Runs on the workers of the mount concerned, several calls at once; what changes is the cache of owner names and the
// user's counters, which lock for themselves.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/vfs/context.h"
#include "host/vfs/journal.h"
#include "host/vfs/notices.h"
#include "host/vfs/replaced.h"
#include "host/vfs/upload.h"
#include "host/vfs/usage_scan.h"

namespace host::vfs {

class MountedFs final : public SessionFs {
 public:
  MountedFs(std::vector<Mount> mounts, Identity identity, const Options& options)
      : context_(std::make_shared<const Context>(std::move(mounts), std::move(identity), options)) {}
  explicit MountedFs(std::shared_ptr<const Context> context) : context_(std::move(context)) {}

  void cancel() override { context_->mounts.cancel(); }
  bool asks_before() const override { return notices::asks_before(*context_); }
  const Identity& identity() const override { return context_->identity; }
  core::WorkerPool& pool(const VirtualPath& path) override { return context_->mounts.at(path).fs->pool(); }
  Features features(const VirtualPath& path) const override;
  Result<Attrs> stat(const VirtualPath& path, bool follow) override;
  Result<void> set_attrs(const VirtualPath& path, const Attrs& attrs, bool follow) override;
  Result<std::unique_ptr<OpenFile>> open(const VirtualPath& path, const OpenRequest& request) override;
  Result<std::unique_ptr<OpenDir>> open_dir(const VirtualPath& path) override;
  Result<void> mkdir(const VirtualPath& path, const Attrs& attrs) override;
  Result<void> rmdir(const VirtualPath& path) override;
  Result<void> remove(const VirtualPath& path) override;
  Result<void> rename(const VirtualPath& from, const VirtualPath& to, bool replace) override;
  Result<void> symlink(std::string_view target, const VirtualPath& link) override;
  Result<std::string> read_link(const VirtualPath& path) override;
  Result<void> hard_link(const VirtualPath& from, const VirtualPath& to) override;
  Result<plugin::StatVfs> statvfs(const VirtualPath& path) override;
  Result<ProgramAccessPtr> begin_program(const ProgramRequest& request) override {
    return ProgramAccess::begin(context_, request);
  }
  Result<users::Usage> scan_usage() override { return vfs::scan_usage(*context_); }
  void note_command(std::string_view command_line, const VirtualPath& path) override {
    journal::ssh_command(*context_, command_line, path);
    notices::ssh_command(*context_, command_line, path);
  }
  std::string user_name(const VirtualPath& path, std::uint32_t uid) override;
  std::string group_name(const VirtualPath& path, std::uint32_t gid) override;

 private:
  plugin::Op op() const { return context_->op(); }
  Result<void> allowed(Action action, const VirtualPath& path) const { return context_->gate.check(action, path); }
  // Passes a storage's answer on; a failure that matters gets its line here.
  template <class T>
  Result<T> noted(std::string_view operation, const Place& place, Result<T> answer) const {
    if (!answer) journal::failure(*context_, operation, place, answer.error());
    return answer;
  }

  // Calls it with the name, and where nothing has it, with where an upload of this session is that will have it.
  template <class Call>
  auto even_unseen(const VirtualPath& path, const Place& place, Call&& call) const {
    auto answer = call(place.path);
    if (answer || answer.error().status != core::Status::kNotFound) return answer;
    const auto temporary = context_->unseen->find(path);
    if (!temporary) return answer;
    auto there = call(*temporary);
    const bool has_its_name = !there && there.error().status == core::Status::kNotFound;  // just now
    return has_its_name ? call(place.path) : there;
  }

  std::shared_ptr<SessionFs> view_for(std::string protocol) const override {
    return std::make_shared<MountedFs>(std::make_shared<const Context>(*context_, std::move(protocol)));
  }
  std::uint32_t rights_to_open(const VirtualPath& path, const OpenRequest& request) const;
  Result<Attrs> stat_even_unseen(const VirtualPath& path, const Place& place, bool follow);
  Result<void> set_even_unseen(const VirtualPath& path, const Place& place, const Attrs& attrs, bool follow);
  Result<Upload::Opened> to_read(const Place& place);
  Result<void> apply(const VirtualPath& path, const Place& place, const Attrs& attrs, bool follow);
  void count_rename(const VirtualPath& from, const VirtualPath& to, const Place& source, Replaced* replaced);
  void count_copy(const Place& source, const Place& target, Replaced* replaced);
  Result<std::optional<std::int64_t>> room_for_link(const Place& source);

  const std::shared_ptr<const Context> context_;
};

}  // namespace host::vfs
