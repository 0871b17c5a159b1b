// SPDX-License-Identifier: Apache-2.0
//
// A mount: each call on a path counts, then goes to the wrapped one.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string>
#include <string_view>

#include "fault_file.h"
#include "trouble.h"

namespace fs_fault {

class FaultFs final : public sallyport::Fs<FaultFs> {
 public:
  FaultFs(sp_fs* wrapped, const Trouble& trouble) : wrapped_(wrapped), trouble_(trouble) {}
  ~FaultFs() { wrapped_->ops->unmount(wrapped_); }

  sp_fs_caps caps() const;
  sallyport::Outcome<sp_attrs> stat(const sp_op& op, std::string_view path, std::uint32_t flags);
  sallyport::Outcome<void> set_attrs(const sp_op& op, std::string_view path, std::uint32_t flags,
                                     const sp_attrs& attrs);
  sallyport::Outcome<std::unique_ptr<FaultFile>> open(const sp_op& op, std::string_view path, const sp_open_args& args);
  sallyport::Outcome<std::unique_ptr<FaultDir>> open_dir(const sp_op& op, std::string_view path);
  sallyport::Outcome<void> mkdir(const sp_op& op, std::string_view path, const sp_attrs* attrs);
  sallyport::Outcome<void> remove(const sp_op& op, std::string_view path, std::uint32_t kind);
  sallyport::Outcome<void> rename(const sp_op& op, std::string_view from, std::string_view to, std::uint32_t flags);
  sallyport::Outcome<void> symlink(const sp_op& op, std::string_view target, std::string_view link);
  sallyport::Outcome<std::string> read_link(const sp_op& op, std::string_view path);
  sallyport::Outcome<void> hard_link(const sp_op& op, std::string_view from, std::string_view to);
  sallyport::Outcome<sp_statvfs> statvfs(const sp_op& op, std::string_view path);
  // Not spoiled: clients do not ask for these.
  sallyport::Outcome<std::string> real_path(std::string_view path) const;
  sallyport::Outcome<std::string> user_name(std::uint32_t uid) const;
  sallyport::Outcome<std::string> group_name(std::uint32_t gid) const;

 private:
  template <class Table>
  const Table* extension_of(const char* id) const {
    return SP_HAS(sp_fs_ops, wrapped_->ops, extension)
               ? static_cast<const Table*>(wrapped_->ops->extension(wrapped_, id))
               : nullptr;
  }

  sp_fs* const wrapped_;
  const Trouble trouble_;
};

}  // namespace fs_fault
