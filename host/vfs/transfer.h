// SPDX-License-Identifier: Apache-2.0
//
// The OpenFile of this folder: a storage's file plus what the session must know about it. Its counters are atomic
// because the storage may allow parallel calls; nothing here allocates while data flows.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "host/vfs/context.h"
#include "host/vfs/open_plan.h"
#include "host/vfs/upload.h"
#include "host/vfs/write_order.h"

namespace host::vfs {

class Transfer final : public OpenFile {
 public:
  // `upload` may be null.
  Transfer(std::shared_ptr<const Context> context, core::VirtualPath path, std::unique_ptr<plugin::File> file,
           std::unique_ptr<Upload> upload, const OpenPlan& plan);
  ~Transfer() override;

  core::WorkerPool& pool() override { return place_.fs->pool(); }
  const plugin::FsCaps& caps() const override { return caps_; }
  bool readable() const override { return plan_.readable; }
  bool writable() const override { return plan_.writable; }
  Result<std::size_t> read_at(std::span<std::byte> into, std::uint64_t offset) override;
  Result<std::size_t> try_read_at(std::span<std::byte> into, std::uint64_t offset) override;
  Result<void> write_at(std::span<const std::byte> data, std::uint64_t offset) override;
  Result<Attrs> stat() override;
  Result<void> set_attrs(const Attrs& attrs) override;
  Result<void> sync() override;
  Result<std::uint64_t> size() override;
  Result<std::uint64_t> copy_to(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at) override;
  Result<plugin::StatVfs> statvfs() override;
  Result<void> close(bool lost) override;

 private:
  Result<std::uint64_t> copy_inside(Transfer& to, std::uint64_t from, std::uint64_t length, std::uint64_t at);
  Result<std::uint64_t> copy_through(OpenFile& to, std::uint64_t from, std::uint64_t length, std::uint64_t at);
  Result<void> apply(const Attrs& attrs);
  // Remembers the first failure and writes its line; gives the error back.
  core::Error fail(const core::Error& error);
  void count_read(std::uint64_t bytes);
  void count_written(std::uint64_t bytes);
  std::string_view verb() const { return plan_.writable ? "upload" : "download"; }
  std::uint64_t bytes() const { return plan_.writable ? written_ : read_; }
  void log_transfer() const;
  Result<void> finish(bool lost);
  void set_later(const Attrs& attrs, plugin::File* file);
  Result<void> write_in_order(std::span<const std::byte> data, std::uint64_t offset);
  Result<void> begin_in_order(std::uint64_t offset);
  Result<void> begin_anew();
  Result<std::uint64_t> old_size() const;
  bool knows_size(const Attrs& attrs) const;
  bool empties(const Attrs& attrs) const;
  Result<bool> covers_old_content() const;
  Result<void> leave_as_it_is();
  void tell(bool good, std::optional<std::uint64_t> size) const;

  const std::shared_ptr<const Context> context_;
  const core::VirtualPath path_;
  const Place place_;
  const OpenPlan plan_;
  plugin::FsCaps caps_;
  std::unique_ptr<plugin::File> file_;  // null once closed
  std::unique_ptr<Upload> upload_;
  const bool ordered_;  // the storage takes data in order only
  // Of one that is written so. One call at a time, as for the writes:
  bool replaces_;           // as OpenPlan::replaces
  bool has_size_ = false;   // its client said that it ends where it does
  bool unchanged_ = false;  // and nothing was written
  Attrs times_;             // for what is there, should nothing be written
  WriteOrder order_{*context_->early_writes};
  Activity::Entry shown_{plan_.silent ? nullptr : context_->identity.activity, plan_.writable, path_.str()};
  std::optional<UnseenUploads::Entry> unseen_;  // of one that the storage keeps out of sight until the end
  const std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> read_ = 0;
  std::atomic<std::uint64_t> written_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // guards first_error_ while calls run; held only on failure
  core::Error first_error_;
};

}  // namespace host::vfs
