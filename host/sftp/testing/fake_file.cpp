// SPDX-License-Identifier: Apache-2.0
//
// Files are strings of at most FakeFs::max_file_bytes; each call is one turn at the gate.
#include "host/sftp/testing/fake_file.h"

#include <algorithm>
#include <cstring>

namespace host::sftp::testing {

using core::Status;
using vfs::Attrs;
using vfs::Result;

namespace {

std::string range(std::uint64_t offset, std::size_t length) {
  return std::to_string(offset) + "+" + std::to_string(length);
}

}  // namespace

FakeFile::FakeFile(std::shared_ptr<FakeFs> fs, std::shared_ptr<Node> node, vfs::VirtualPath path,
                   const vfs::OpenRequest& request)
    : fs_(std::move(fs)), node_(std::move(node)), path_(std::move(path)), request_(request), caps_(fs_->caps) {}

FakeFile::~FakeFile() {
  if (!closed_) fs_->gate.pass("never_closed", path_.str());
}

std::size_t FakeFile::read(std::span<std::byte> into, std::uint64_t offset) {
  const std::lock_guard lock(fs_->mutex_);
  if (offset >= node_->data.size()) return 0;
  const auto count = std::min({into.size(), fs_->read_piece, node_->data.size() - static_cast<std::size_t>(offset)});
  std::memcpy(into.data(), node_->data.data() + offset, count);
  return count;
}

Result<std::size_t> FakeFile::read_at(std::span<std::byte> into, std::uint64_t offset) {
  fs_->gate.pass("read", range(offset, into.size()));
  return read(into, offset);
}

Result<std::size_t> FakeFile::try_read_at(std::span<std::byte> into, std::uint64_t offset) {
  fs_->gate.pass("try_read", range(offset, into.size()));
  if (fs_->try_reads_block || offset >= fs_->cached_bytes) return Status::kWouldBlock;
  return read(into.first(std::min<std::size_t>(into.size(), fs_->cached_bytes - offset)), offset);
}

Result<void> FakeFile::write_at(std::span<const std::byte> data, std::uint64_t offset) {
  fs_->gate.pass("write", range(offset, data.size()));
  if (fs_->write_fails != Status::kOk) return {fs_->write_fails, "/srv/secret/path"};
  const std::lock_guard lock(fs_->mutex_);
  auto& bytes = node_->data;
  const auto at = request_.append ? bytes.size() : offset;
  if (at + data.size() > fs_->max_file_bytes) return Status::kNoSpace;
  bytes.resize(std::max<std::size_t>(bytes.size(), at + data.size()));
  std::memcpy(bytes.data() + at, data.data(), data.size());
  return core::ok();
}

Result<Attrs> FakeFile::stat() {
  fs_->gate.pass("fstat", path_.str());
  const std::lock_guard lock(fs_->mutex_);
  return FakeFs::attrs_of(*node_);
}

Result<void> FakeFile::set_attrs(const Attrs& attrs) {
  fs_->gate.pass("fset_attrs", path_.str());
  const std::lock_guard lock(fs_->mutex_);
  return fs_->apply(*node_, attrs);
}

Result<void> FakeFile::sync() {
  fs_->gate.pass("sync", path_.str());
  return core::ok();
}

Result<std::uint64_t> FakeFile::size() {
  fs_->gate.pass("size", path_.str());
  const std::lock_guard lock(fs_->mutex_);
  return node_->data.size();
}

Result<std::uint64_t> FakeFile::copy_to(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) {
  fs_->gate.pass("copy", range(from, length));
  std::vector<std::byte> bytes(std::min(length, fs_->max_file_bytes));
  bytes.resize(read(bytes, from));
  if (const auto written = to.write_at(bytes, at); !written) return written.error();
  return bytes.size();
}

Result<plugin::StatVfs> FakeFile::statvfs() { return fs_->statvfs(path_); }

Result<void> FakeFile::close(bool lost) {
  fs_->gate.pass(lost ? "lost" : "commit", path_.str());
  closed_ = true;
  return core::ok();
}

Result<bool> FakeDir::next(std::uint32_t max, const Take& take) {
  fs_->gate.pass("next", path_.str());
  if (fs_->listing_stuck) return false;
  for (std::uint32_t count = 0; next_ < entries_.size(); ++next_, ++count) {
    if (count == max || !take(entries_[next_].first, entries_[next_].second)) return false;
  }
  return true;
}

}  // namespace host::sftp::testing
