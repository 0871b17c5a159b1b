// SPDX-License-Identifier: Apache-2.0
//
// Calls on open files and directories. Worker threads, one call at a time per file.
#include "fault_file.h"

#include <utility>

#include "wrapped.h"

namespace fs_fault {

using sallyport::Failure;
using sallyport::Outcome;

FaultFile::~FaultFile() {
  const sp_op op{sizeof(sp_op), 0, 0, 0, 0};
  (void)release(op, SP_CLOSE_ABORT);
}

Outcome<std::size_t> FaultFile::read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset) {
  if (std::exchange(rest_, std::nullopt) == Rest{offset, into.size()}) return std::size_t{0};
  std::size_t bytes = into.size();
  auto met = trouble_.meet_read(op, bytes);
  if (!met) return met.failure();
  if (!SP_HAS(sp_file_ops, wrapped_->ops, read_at)) return lacking("read");
  std::size_t got = 0;
  auto done = pass(
      [&](sp_error* error) { return wrapped_->ops->read_at(wrapped_, &op, into.data(), bytes, offset, &got, error); });
  if (!done) return done.failure();
  if (*met && got == bytes) rest_ = Rest{offset + got, into.size() - got};
  return got;
}

Outcome<void> FaultFile::write_at(const sp_op& op, std::span<const std::byte> data, std::uint64_t offset) {
  if (auto met = trouble_.meet(Operation::kWrite, op); !met) return met;
  if (!SP_HAS(sp_file_ops, wrapped_->ops, write_at)) return lacking("write");
  return pass(
      [&](sp_error* error) { return wrapped_->ops->write_at(wrapped_, &op, data.data(), data.size(), offset, error); });
}

Outcome<sp_attrs> FaultFile::stat(const sp_op& op) {
  if (auto met = trouble_.meet(Operation::kFstat, op); !met) return met.failure();
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  auto done = pass([&](sp_error* error) { return wrapped_->ops->stat(wrapped_, &op, &attrs, error); });
  if (!done) return done.failure();
  return attrs;
}

Outcome<void> FaultFile::set_attrs(const sp_op& op, const sp_attrs& attrs) {
  if (auto met = trouble_.meet(Operation::kFsetstat, op); !met) return met;
  if (!SP_HAS(sp_file_ops, wrapped_->ops, set_attrs)) return lacking("set attributes of an open file");
  return pass([&](sp_error* error) { return wrapped_->ops->set_attrs(wrapped_, &op, &attrs, error); });
}

Outcome<void> FaultFile::sync(const sp_op& op) {
  if (auto met = trouble_.meet(Operation::kSync, op); !met) return met;
  if (!SP_HAS(sp_file_ops, wrapped_->ops, sync)) return lacking("sync");
  return pass([&](sp_error* error) { return wrapped_->ops->sync(wrapped_, &op, error); });
}

// A commit that is to fail does not happen: the wrapped storage does what it does for an upload that was cut off.
Outcome<void> FaultFile::close(const sp_op& op, bool commit) {
  if (!commit) return release(op, SP_CLOSE_ABORT);
  auto met = writes_ ? trouble_.meet(Operation::kCommit, op) : Outcome<void>();
  auto closed = release(op, met ? SP_CLOSE_COMMIT : SP_CLOSE_ABORT);
  return met ? std::move(closed) : std::move(met);
}

Outcome<void> FaultFile::release(const sp_op& op, std::uint32_t how) {
  sp_file* const file = std::exchange(wrapped_, nullptr);
  if (file == nullptr) return {};
  return pass([&](sp_error* error) { return file->ops->close(file, &op, how, error); });
}

Outcome<std::uint64_t> FaultFile::copy_range(const sp_op& op, std::uint64_t from_offset, std::uint64_t length,
                                             FaultFile& to, std::uint64_t to_offset) {
  if (auto met = trouble_.meet(Operation::kCopy, op); !met) return met.failure();
  const auto* table = SP_HAS(sp_file_ops, wrapped_->ops, extension)
                          ? static_cast<const sp_ext_copy_range*>(wrapped_->ops->extension(wrapped_, SP_EXT_COPY_RANGE))
                          : nullptr;
  if (table == nullptr || table->copy == nullptr) return lacking("copy");
  std::uint64_t copied = 0;
  auto done = pass([&](sp_error* error) {
    return table->copy(wrapped_, &op, from_offset, length, to.wrapped_, to_offset, &copied, error);
  });
  if (!done) return done.failure();
  return copied;
}

Outcome<bool> FaultDir::next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink) {
  if (auto met = trouble_.meet(Operation::kReaddir, op); !met) return met.failure();
  const sp_entry_sink forward{const_cast<sallyport::EntrySink*>(&sink),
                              [](void* ctx, const sp_entry* entry) noexcept -> sp_status {
                                const sp_attrs none{};
                                return static_cast<const sallyport::EntrySink*>(ctx)->add(
                                    sallyport::view(entry->name), entry->attrs != nullptr ? *entry->attrs : none);
                              }};
  std::uint32_t at_end = 0;
  auto done = pass([&](sp_error* error) { return wrapped_->ops->next(wrapped_, &op, max, &forward, &at_end, error); });
  if (!done) return done.failure();
  return at_end != 0;
}

}  // namespace fs_fault
