// SPDX-License-Identifier: Apache-2.0
//
// Open files and directories of a storage plugin. Reading and writing is the hot path: on success nothing here
// allocates. Runs on the storage's workers; quick calls (nowait) on any thread. Must not know paths or users.
#include <sallyport/ext/storage_ext.h>
#include <sallyport/storage.h>

#include <string>

#include "host/plugin/convert.h"
#include "host/plugin/error.h"
#include "host/plugin/storage.h"

namespace host::plugin {

using core::Result;
using core::Status;

File::~File() {
  if (file_ == nullptr) return;
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  file_->ops->close(file_, &op, SP_CLOSE_ABORT, error.out());
}

Result<std::size_t> File::read_at(const Op& op, std::span<std::byte> into, std::uint64_t offset) {
  // A plugin that cannot promise to answer at once is not asked to.
  if (op.nowait && (caps_flags_ & SP_FS_NOWAIT_READ) == 0) return core::Error(Status::kWouldBlock);
  if (!SP_HAS(sp_file_ops, file_->ops, read_at)) return unsupported("read");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  std::size_t got = 0;
  const auto status = stats_.timed(Call::kRead, [&] {
    return file_->ops->read_at(file_, &raw_op, into.data(), into.size(), offset, &got, error.out());
  });
  if (status != SP_OK) return to_error(status, error);
  if (got > into.size())
    return core::Error(Status::kInternal, "the plugin claims to have read more than it was given room for");
  return got;
}

Result<void> File::write_at(const Op& op, std::span<const std::byte> data, std::uint64_t offset) {
  if (op.nowait && (caps_flags_ & SP_FS_NOWAIT_WRITE) == 0) return core::Error(Status::kWouldBlock);
  if (!SP_HAS(sp_file_ops, file_->ops, write_at)) return unsupported("write");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(
      stats_.timed(Call::kWrite,
                   [&] { return file_->ops->write_at(file_, &raw_op, data.data(), data.size(), offset, error.out()); }),
      error);
}

Result<core::Attrs> File::stat(const Op& op) {
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  const auto status = stats_.timed(Call::kStat, [&] { return file_->ops->stat(file_, &raw_op, &attrs, error.out()); });
  if (status != SP_OK) return to_error(status, error);
  return to_attrs(attrs);
}

Result<void> File::set_attrs(const Op& op, const core::Attrs& attrs) {
  constexpr std::uint64_t kMayBeginAnew = FsCaps::kPublishOnClose | FsCaps::kResume;
  const bool begins_anew =
      attrs.valid == core::Attrs::kSize && attrs.size == 0 && (caps_flags_ & kMayBeginAnew) == kMayBeginAnew;
  if (!begins_anew) {
    if (auto allowed = check_settable(caps_flags_, attrs); !allowed) return allowed;
  }
  if (!SP_HAS(sp_file_ops, file_->ops, set_attrs)) return unsupported("setting attributes of an open file");
  const sp_op raw_op = to_c(op);
  const sp_attrs raw_attrs = to_c(attrs);
  ErrorSlot error;
  return to_result(
      stats_.timed(Call::kSetAttrs, [&] { return file_->ops->set_attrs(file_, &raw_op, &raw_attrs, error.out()); }),
      error);
}

Result<void> File::sync(const Op& op) {
  if (!SP_HAS(sp_file_ops, file_->ops, sync)) return unsupported("sync");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(stats_.timed(Call::kSync, [&] { return file_->ops->sync(file_, &raw_op, error.out()); }), error);
}

Result<std::uint64_t> File::copy_range(const Op& op, std::uint64_t from, std::uint64_t length, File& to,
                                       std::uint64_t to_offset) {
  // Both files must be of one make: the plugin looks into its own structs behind sp_file.
  if (!SP_HAS(sp_file_ops, file_->ops, extension) || file_->ops != to.file_->ops)
    return unsupported("copying inside the store");
  const auto* table = static_cast<const sp_ext_copy_range*>(file_->ops->extension(file_, SP_EXT_COPY_RANGE));
  if (table == nullptr || table->copy == nullptr) return unsupported("copying inside the store");
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  std::uint64_t copied = 0;
  const auto status = stats_.timed(Call::kCopy, [&] {
    return table->copy(file_, &raw_op, from, length, to.file_, to_offset, &copied, error.out());
  });
  if (status != SP_OK) return to_error(status, error);
  return copied;
}

Result<void> File::close(const Op& op, bool commit) {
  if (file_ == nullptr) return core::Error(Status::kInvalid, "closed twice");
  sp_file* const file = file_;
  file_ = nullptr;
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  return to_result(
      stats_.timed(
          Call::kClose,
          [&] { return file->ops->close(file, &raw_op, commit ? SP_CLOSE_COMMIT : SP_CLOSE_ABORT, error.out()); }),
      error);
}

Dir::~Dir() { dir_->ops->close(dir_); }

Result<bool> Dir::next(const Op& op, std::uint32_t max, const Take& take) {
  const sp_entry_sink sink{const_cast<Take*>(&take), [](void* ctx, const sp_entry* entry) noexcept -> sp_status {
                             try {
                               const auto attrs = entry->attrs != nullptr ? to_attrs(*entry->attrs) : core::Attrs();
                               return (*static_cast<const Take*>(ctx))(to_view(entry->name), attrs) ? SP_OK : SP_E_FULL;
                             } catch (...) {
                               return SP_E_INTERNAL;
                             }
                           }};
  const sp_op raw_op = to_c(op);
  ErrorSlot error;
  std::uint32_t at_end = 0;
  const auto status =
      stats_.timed(Call::kList, [&] { return dir_->ops->next(dir_, &raw_op, max, &sink, &at_end, error.out()); });
  // A plugin may pass on the sink's "full" or answer OK: both mean that the reply is full.
  if (status == SP_E_FULL) return false;
  if (status != SP_OK) return to_error(status, error);
  return at_end != 0;
}

}  // namespace host::plugin
