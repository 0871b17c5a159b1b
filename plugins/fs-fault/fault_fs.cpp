// SPDX-License-Identifier: Apache-2.0
//
// Calls on paths. Worker threads; real_path on any.
#include "fault_fs.h"

#include "wrapped.h"

namespace fs_fault {
namespace {

using sallyport::Outcome;
using sallyport::str;

// Runs a call that answers through a sink and gives the text.
template <class Call>
Outcome<std::string> text_of(Call&& call) {
  std::string text;
  const sp_sink sink{&text, [](void* ctx, sp_bytes part) noexcept -> sp_status {
                       try {
                         static_cast<std::string*>(ctx)->append(static_cast<const char*>(part.ptr), part.len);
                         return SP_OK;
                       } catch (...) {
                         return SP_E_INTERNAL;
                       }
                     }};
  auto done = pass([&](sp_error* error) { return call(&sink, error); });
  if (!done) return done.failure();
  return text;
}

}  // namespace

// Without leave to answer at once or side by side, so that calls come one after the other.
sp_fs_caps FaultFs::caps() const {
  sp_fs_caps caps{};
  caps.struct_size = sizeof caps;
  wrapped_->ops->caps(wrapped_, &caps);
  caps.flags &= ~std::uint64_t{SP_FS_NOWAIT_READ | SP_FS_NOWAIT_WRITE | SP_FS_PARALLEL_IO};
  caps.max_inflight = 1;
  return caps;
}

Outcome<sp_attrs> FaultFs::stat(const sp_op& op, std::string_view path, std::uint32_t flags) {
  if (auto met = trouble_.meet(Operation::kStat, op); !met) return met.failure();
  sp_attrs attrs{};
  attrs.struct_size = sizeof attrs;
  auto done =
      pass([&](sp_error* error) { return wrapped_->ops->stat(wrapped_, &op, str(path), flags, &attrs, error); });
  if (!done) return done.failure();
  return attrs;
}

Outcome<void> FaultFs::set_attrs(const sp_op& op, std::string_view path, std::uint32_t flags, const sp_attrs& attrs) {
  if (auto met = trouble_.meet(Operation::kSetstat, op); !met) return met;
  if (!SP_HAS(sp_fs_ops, wrapped_->ops, set_attrs)) return lacking("set attributes");
  return pass(
      [&](sp_error* error) { return wrapped_->ops->set_attrs(wrapped_, &op, str(path), flags, &attrs, error); });
}

Outcome<std::unique_ptr<FaultFile>> FaultFs::open(const sp_op& op, std::string_view path, const sp_open_args& args) {
  if (auto met = trouble_.meet(Operation::kOpen, op); !met) return met.failure();
  sp_file* file = nullptr;
  auto done = pass([&](sp_error* error) { return wrapped_->ops->open(wrapped_, &op, str(path), &args, &file, error); });
  if (!done) return done.failure();
  return std::make_unique<FaultFile>(file, trouble_, (args.flags & SP_OPEN_WRITE) != 0);
}

Outcome<std::unique_ptr<FaultDir>> FaultFs::open_dir(const sp_op& op, std::string_view path) {
  if (auto met = trouble_.meet(Operation::kOpendir, op); !met) return met.failure();
  sp_dir* dir = nullptr;
  auto done = pass([&](sp_error* error) { return wrapped_->ops->open_dir(wrapped_, &op, str(path), &dir, error); });
  if (!done) return done.failure();
  return std::make_unique<FaultDir>(dir, trouble_);
}

Outcome<void> FaultFs::mkdir(const sp_op& op, std::string_view path, const sp_attrs* attrs) {
  if (auto met = trouble_.meet(Operation::kMkdir, op); !met) return met;
  if (!SP_HAS(sp_fs_ops, wrapped_->ops, mkdir)) return lacking("make directories");
  return pass([&](sp_error* error) { return wrapped_->ops->mkdir(wrapped_, &op, str(path), attrs, error); });
}

Outcome<void> FaultFs::remove(const sp_op& op, std::string_view path, std::uint32_t kind) {
  const auto operation = kind == SP_REMOVE_DIR ? Operation::kRmdir : Operation::kRemove;
  if (auto met = trouble_.meet(operation, op); !met) return met;
  if (!SP_HAS(sp_fs_ops, wrapped_->ops, remove)) return lacking("remove");
  return pass([&](sp_error* error) { return wrapped_->ops->remove(wrapped_, &op, str(path), kind, error); });
}

Outcome<void> FaultFs::rename(const sp_op& op, std::string_view from, std::string_view to, std::uint32_t flags) {
  if (auto met = trouble_.meet(Operation::kRename, op); !met) return met;
  if (!SP_HAS(sp_fs_ops, wrapped_->ops, rename)) return lacking("rename");
  return pass([&](sp_error* error) { return wrapped_->ops->rename(wrapped_, &op, str(from), str(to), flags, error); });
}

Outcome<void> FaultFs::symlink(const sp_op& op, std::string_view target, std::string_view link) {
  if (auto met = trouble_.meet(Operation::kSymlink, op); !met) return met;
  if (!SP_HAS(sp_fs_ops, wrapped_->ops, symlink)) return lacking("make symbolic links");
  return pass([&](sp_error* error) { return wrapped_->ops->symlink(wrapped_, &op, str(target), str(link), error); });
}

Outcome<std::string> FaultFs::read_link(const sp_op& op, std::string_view path) {
  if (auto met = trouble_.meet(Operation::kReadlink, op); !met) return met.failure();
  if (!SP_HAS(sp_fs_ops, wrapped_->ops, read_link)) return lacking("read symbolic links");
  return text_of([&](const sp_sink* sink, sp_error* error) {
    return wrapped_->ops->read_link(wrapped_, &op, str(path), sink, error);
  });
}

Outcome<void> FaultFs::hard_link(const sp_op& op, std::string_view from, std::string_view to) {
  if (auto met = trouble_.meet(Operation::kLink, op); !met) return met;
  const auto* table = extension_of<sp_ext_hard_link>(SP_EXT_HARD_LINK);
  if (table == nullptr) return lacking("make hard links");
  return pass([&](sp_error* error) { return table->link(wrapped_, &op, str(from), str(to), error); });
}

Outcome<sp_statvfs> FaultFs::statvfs(const sp_op& op, std::string_view path) {
  if (auto met = trouble_.meet(Operation::kStatvfs, op); !met) return met.failure();
  const auto* table = extension_of<sp_ext_statvfs>(SP_EXT_STATVFS);
  if (table == nullptr) return lacking("tell free space");
  sp_statvfs space{};
  space.struct_size = sizeof space;
  auto done = pass([&](sp_error* error) { return table->statvfs(wrapped_, &op, str(path), &space, error); });
  if (!done) return done.failure();
  return space;
}

Outcome<std::string> FaultFs::real_path(std::string_view path) const {
  const auto* table = extension_of<sp_ext_real_path>(SP_EXT_REAL_PATH);
  if (table == nullptr) return std::string(path);
  return text_of(
      [&](const sp_sink* sink, sp_error* error) { return table->real_path(wrapped_, str(path), sink, error); });
}

Outcome<std::string> FaultFs::user_name(std::uint32_t uid) const {
  const auto* table = extension_of<sp_ext_owner_names>(SP_EXT_OWNER_NAMES);
  if (table == nullptr) return lacking("name owners");
  return text_of([&](const sp_sink* sink, sp_error* error) { return table->user_name(wrapped_, uid, sink, error); });
}

Outcome<std::string> FaultFs::group_name(std::uint32_t gid) const {
  const auto* table = extension_of<sp_ext_owner_names>(SP_EXT_OWNER_NAMES);
  if (table == nullptr) return lacking("name owners");
  return text_of([&](const sp_sink* sink, sp_error* error) { return table->group_name(wrapped_, gid, sink, error); });
}

}  // namespace fs_fault
