// SPDX-License-Identifier: Apache-2.0
//
// A small file system in memory behind vfs::SessionFs, for tests and the fuzzer. Every blocking call is written down
// and can be held at a gate; sizes and counts are bounded. Paths below /other belong to a second pool.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "host/vfs/session_fs.h"

namespace host::sftp::testing {

// Holds calls by name and remembers them. Any thread.
class Gate {
 public:
  void hold(const std::string& name);  // or one "name detail"
  void let_go(const std::string& name);
  void let_all_go();  // now and from now on
  // Waits until `count` calls of that name have come, held or not; false after ten seconds.
  bool wait_for(const std::string& name, std::size_t count);
  std::vector<std::string> calls() const;  // "name detail", in order of arrival
  std::size_t count(const std::string& name) const;

  std::atomic<std::int64_t> next_takes = 0;  // ns: how long the next call works

  void pass(const std::string& name, const std::string& detail);  // called by the file system

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> held_;
  bool off_ = false;
  std::map<std::string, std::size_t> counts_;
  std::vector<std::string> calls_;
};

struct Node {
  core::FileType type = core::FileType::kFile;
  std::string data;  // of a file; target of a link
  core::Attrs attrs;
};

class FakeFs final : public vfs::SessionFs, public std::enable_shared_from_this<FakeFs> {
 public:
  // The pools must outlive it.
  FakeFs(core::WorkerPool& pool, core::WorkerPool& other_pool);

  Gate gate;
  plugin::FsCaps caps;  // of files opened from now on
  vfs::Features can{true, true, true, true, true, true, true, true};
  bool try_reads_block = false;
  std::uint64_t cached_bytes = ~std::uint64_t{0};  // of every file: try_read_at gives no more
  std::size_t read_piece = ~std::size_t{0};        // most that one read call gives
  core::Status write_fails = core::Status::kOk;    // status of every write_at
  std::uint64_t max_file_bytes = 64 * 1024 * 1024;
  bool listing_stuck = false;  // directories say "more" for ever without naming anything

  void put(const std::string& path, std::string data);
  void put_dir(const std::string& path);
  void limit(vfs::Throttle throttle) { identity_.throttle = std::move(throttle); }
  std::string get(const std::string& path) const;  // "<none>" when there is none

  const vfs::Identity& identity() const override { return identity_; }
  core::WorkerPool& pool(const vfs::VirtualPath& path) override;
  vfs::Features features(const vfs::VirtualPath&) const override { return can; }
  vfs::Result<vfs::Attrs> stat(const vfs::VirtualPath& path, bool follow) override;
  vfs::Result<void> set_attrs(const vfs::VirtualPath& path, const vfs::Attrs& attrs, bool follow) override;
  vfs::Result<std::unique_ptr<vfs::OpenFile>> open(const vfs::VirtualPath& path,
                                                   const vfs::OpenRequest& request) override;
  vfs::Result<std::unique_ptr<vfs::OpenDir>> open_dir(const vfs::VirtualPath& path) override;
  vfs::Result<void> mkdir(const vfs::VirtualPath& path, const vfs::Attrs& attrs) override;
  vfs::Result<void> rmdir(const vfs::VirtualPath& path) override;
  vfs::Result<void> remove(const vfs::VirtualPath& path) override;
  vfs::Result<void> rename(const vfs::VirtualPath& from, const vfs::VirtualPath& to, bool replace) override;
  vfs::Result<void> symlink(std::string_view target, const vfs::VirtualPath& link) override;
  vfs::Result<std::string> read_link(const vfs::VirtualPath& path) override;
  vfs::Result<void> hard_link(const vfs::VirtualPath& from, const vfs::VirtualPath& to) override;
  vfs::Result<plugin::StatVfs> statvfs(const vfs::VirtualPath& path) override;
  std::string user_name(const vfs::VirtualPath& path, std::uint32_t uid) override;
  std::string group_name(const vfs::VirtualPath& path, std::uint32_t gid) override;
  void note_command(std::string_view, const vfs::VirtualPath&) override {}
  std::shared_ptr<vfs::SessionFs> view_for(std::string) const override { return nullptr; }

 private:
  friend class FakeFile;
  friend class FakeDir;
  using NodePtr = std::shared_ptr<Node>;

  NodePtr find(const std::string& path) const;
  vfs::Result<void> apply(Node& node, const vfs::Attrs& attrs) const;
  vfs::Result<void> add(const std::string& path, NodePtr node);
  static vfs::Attrs attrs_of(const Node& node);

  core::WorkerPool& pool_;
  core::WorkerPool& other_pool_;
  vfs::Identity identity_;
  mutable std::mutex mutex_;
  std::map<std::string, NodePtr> nodes_;
};

}  // namespace host::sftp::testing
