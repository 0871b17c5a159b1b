// SPDX-License-Identifier: Apache-2.0
//
// Open files and directories of FakeFs.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/sftp/testing/fake_fs.h"

namespace host::sftp::testing {

class FakeFile final : public vfs::OpenFile {
 public:
  FakeFile(std::shared_ptr<FakeFs> fs, std::shared_ptr<Node> node, vfs::VirtualPath path,
           const vfs::OpenRequest& request);
  ~FakeFile() override;

  core::WorkerPool& pool() override { return fs_->pool(path_); }
  const plugin::FsCaps& caps() const override { return caps_; }
  bool readable() const override { return request_.read; }
  bool writable() const override { return request_.write; }
  vfs::Result<std::size_t> read_at(std::span<std::byte> into, std::uint64_t offset) override;
  vfs::Result<std::size_t> try_read_at(std::span<std::byte> into, std::uint64_t offset) override;
  vfs::Result<void> write_at(std::span<const std::byte> data, std::uint64_t offset) override;
  vfs::Result<vfs::Attrs> stat() override;
  vfs::Result<void> set_attrs(const vfs::Attrs& attrs) override;
  vfs::Result<void> sync() override;
  vfs::Result<std::uint64_t> size() override;
  vfs::Result<std::uint64_t> copy_to(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) override;
  vfs::Result<plugin::StatVfs> statvfs() override;
  vfs::Result<void> close(bool lost) override;

 private:
  std::size_t read(std::span<std::byte> into, std::uint64_t offset);

  const std::shared_ptr<FakeFs> fs_;
  const std::shared_ptr<Node> node_;
  const vfs::VirtualPath path_;
  const vfs::OpenRequest request_;
  const plugin::FsCaps caps_;
  bool closed_ = false;
};

class FakeDir final : public vfs::OpenDir {
 public:
  using Entries = std::vector<std::pair<std::string, vfs::Attrs>>;
  FakeDir(std::shared_ptr<FakeFs> fs, vfs::VirtualPath path, Entries entries)
      : fs_(std::move(fs)), path_(std::move(path)), entries_(std::move(entries)) {}
  ~FakeDir() override { fs_->gate.pass("close_dir", path_.str()); }

  core::WorkerPool& pool() override { return fs_->pool(path_); }
  vfs::Result<bool> next(std::uint32_t max, const Take& take) override;

 private:
  const std::shared_ptr<FakeFs> fs_;
  const vfs::VirtualPath path_;
  const Entries entries_;
  std::size_t next_ = 0;
};

}  // namespace host::sftp::testing
