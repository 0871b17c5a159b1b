// SPDX-License-Identifier: Apache-2.0
//
// One open regular file. read_at and write_at may run at once on any threads.
#pragma once

#include <atomic>
#include <sallyport/cpp/storage.hpp>
#include <string>

#include "unique_fd.h"

namespace fs_local {

class LocalFile final : public sallyport::File<LocalFile> {
 public:
  LocalFile(const sp_host& host, UniqueFd fd, std::string path, bool writable)
      : host_(host), fd_(std::move(fd)), path_(std::move(path)), writable_(writable) {}

  sallyport::Outcome<std::size_t> read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset);
  sallyport::Outcome<void> write_at(const sp_op& op, std::span<const std::byte> data, std::uint64_t offset);
  sallyport::Outcome<sp_attrs> stat(const sp_op& op);
  sallyport::Outcome<void> set_attrs(const sp_op& op, const sp_attrs& attrs);
  sallyport::Outcome<void> sync(const sp_op& op);
  sallyport::Outcome<void> close(const sp_op& op, bool commit);
  sallyport::Outcome<std::uint64_t> copy_range(const sp_op& op, std::uint64_t from, std::uint64_t length, LocalFile& to,
                                               std::uint64_t to_offset);

 private:
  sallyport::Outcome<std::size_t> read_cached(std::span<std::byte> into, off_t offset);
  sallyport::Outcome<bool> overlaps(std::uint64_t from, std::uint64_t length, LocalFile& to, std::uint64_t to_offset);
  sallyport::Outcome<std::uint64_t> copy_through_memory(const sp_op& op, std::uint64_t from, std::uint64_t length,
                                                        LocalFile& to, std::uint64_t to_offset);

  const sp_host& host_;
  UniqueFd fd_;
  const std::string path_;  // for the log
  const bool writable_;
  std::atomic<bool> tells_cached_{true};  // false once the file system answered that it cannot
};

}  // namespace fs_local
