// SPDX-License-Identifier: Apache-2.0
//
// One user's view of one directory of this machine. Thread-safe; every path becomes a descriptor through Home.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string>
#include <string_view>

#include "home.h"
#include "local_dir.h"
#include "local_file.h"
#include "owner_names.h"

namespace fs_local {

class LocalFs final : public sallyport::Fs<LocalFs> {
 public:
  static constexpr std::uint32_t kKeep = 0xffffffff;  // uid or gid: leave it as it is
  // One call at a time is enough: reads of cached pages are answered in place, and for the rest a second call would
  // only contend for the same disk and the same file's lock.
  static constexpr std::uint32_t kMaxInflight = 1;

  LocalFs(const sp_host& host, OwnerNames& names, Home home, const sp_mount_args& args);

  sp_fs_caps caps() const;
  sallyport::Outcome<sp_attrs> stat(const sp_op& op, std::string_view path, std::uint32_t flags);
  sallyport::Outcome<void> set_attrs(const sp_op& op, std::string_view path, std::uint32_t flags,
                                     const sp_attrs& attrs);
  sallyport::Outcome<std::unique_ptr<LocalFile>> open(const sp_op& op, std::string_view path, const sp_open_args& args);
  sallyport::Outcome<std::unique_ptr<LocalDir>> open_dir(const sp_op& op, std::string_view path);
  sallyport::Outcome<void> mkdir(const sp_op& op, std::string_view path, const sp_attrs* attrs);
  sallyport::Outcome<void> remove(const sp_op& op, std::string_view path, std::uint32_t kind);
  sallyport::Outcome<void> rename(const sp_op& op, std::string_view from, std::string_view to, std::uint32_t flags);
  sallyport::Outcome<void> symlink(const sp_op& op, std::string_view target, std::string_view link);
  sallyport::Outcome<std::string> read_link(const sp_op& op, std::string_view path);
  sallyport::Outcome<void> hard_link(const sp_op& op, std::string_view from, std::string_view to);
  sallyport::Outcome<sp_statvfs> statvfs(const sp_op& op, std::string_view path);
  sallyport::Outcome<std::string> real_path(std::string_view path) const;
  sallyport::Outcome<std::string> local_root() const;
  sallyport::Outcome<std::string> user_name(std::uint32_t uid);
  sallyport::Outcome<std::string> group_name(std::uint32_t gid);

 private:
  struct Opened {
    UniqueFd fd;
    bool created = false;
  };
  // As errors.h has them, but that a home which was removed is no missing file.
  sallyport::Failure failed(std::string_view what, std::string_view path) const;
  sallyport::Failure unresolved(std::string_view what, std::string_view path) const;
  Opened open_or_create(std::string_view path, int flags, mode_t mode) const;
  mode_t mode_of_new(const sp_attrs* attrs, mode_t otherwise) const;
  void give_to_owner(int fd, mode_t mode, std::string_view path);
  sallyport::Outcome<bool> move_link(const Place& from, std::string_view from_path, const Place& to,
                                     std::string_view to_path, bool replace);
  bool make_link(const Place& place, const std::string& text, std::uint32_t uid, std::uint32_t gid, bool replace);

  const sp_host& host_;
  OwnerNames& names_;
  const Home home_;
  const std::uint32_t uid_, gid_;  // of what is created
  const mode_t umask_;
  std::atomic<bool> may_chown_;  // cleared, and logged, when the system refuses
};

}  // namespace fs_local
