// SPDX-License-Identifier: Apache-2.0
//
// Open files and directories: each call counts, then goes to the wrapped one.
#pragma once

#include <cstdint>
#include <optional>
#include <sallyport/cpp/storage.hpp>
#include <span>

#include "trouble.h"

namespace fs_fault {

class FaultFile final : public sallyport::File<FaultFile> {
 public:
  FaultFile(sp_file* wrapped, const Trouble& trouble, bool writes)
      : wrapped_(wrapped), trouble_(trouble), writes_(writes) {}
  ~FaultFile();

  sallyport::Outcome<std::size_t> read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset);
  sallyport::Outcome<void> write_at(const sp_op& op, std::span<const std::byte> data, std::uint64_t offset);
  sallyport::Outcome<sp_attrs> stat(const sp_op& op);
  sallyport::Outcome<void> set_attrs(const sp_op& op, const sp_attrs& attrs);
  sallyport::Outcome<void> sync(const sp_op& op);
  sallyport::Outcome<void> close(const sp_op& op, bool commit);
  sallyport::Outcome<std::uint64_t> copy_range(const sp_op& op, std::uint64_t from_offset, std::uint64_t length,
                                               FaultFile& to, std::uint64_t to_offset);

 private:
  // What a shortened read left out. The host asks for it before it answers, and finds nothing, once: then it passes the
  // short answer on.
  struct Rest {
    std::uint64_t offset;
    std::size_t bytes;
    friend bool operator==(const Rest&, const Rest&) = default;
  };
  sallyport::Outcome<void> release(const sp_op& op, std::uint32_t how);

  sp_file* wrapped_;  // NULL once closed
  const Trouble trouble_;
  const bool writes_;
  std::optional<Rest> rest_;  // calls on one file come one after the other
};

class FaultDir final : public sallyport::Dir<FaultDir> {
 public:
  FaultDir(sp_dir* wrapped, const Trouble& trouble) : wrapped_(wrapped), trouble_(trouble) {}
  ~FaultDir() { wrapped_->ops->close(wrapped_); }
  sallyport::Outcome<bool> next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink);

 private:
  sp_dir* const wrapped_;
  const Trouble trouble_;
};

}  // namespace fs_fault
