// SPDX-License-Identifier: Apache-2.0
//
// An open file: read, or written.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <span>
#include <string>

#include "attrs.h"
#include "object-common/range_reader.h"
#include "s3_client.h"
#include "s3_upload.h"

namespace fs_s3 {

// What all mounts of a storage share.
struct Shared;

class S3File final : public sallyport::File<S3File> {
 public:
  using Memory = S3Upload::Memory;
  static std::unique_ptr<S3File> to_read(Shared& shared, Memory memory, std::shared_ptr<S3Client> client,
                                         std::string key, const ObjectInfo& info, Owner owner);
  // `goes_on`: what the new object begins with; null: nothing. `only_new`: it replaces none.
  static std::unique_ptr<S3File> to_write(Shared& shared, Memory memory, std::shared_ptr<S3Client> client,
                                          std::string key, const ObjectInfo* goes_on, bool only_new, Owner owner);

  Outcome<std::size_t> read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset);
  Outcome<void> write_at(const sp_op& op, std::span<const std::byte> data, std::uint64_t offset);
  Outcome<std::uint64_t> copy_range(const sp_op& op, std::uint64_t offset, std::uint64_t length, S3File& to,
                                    std::uint64_t to_offset);
  Outcome<sp_attrs> stat(const sp_op& op);
  Outcome<void> set_attrs(const sp_op& op, const sp_attrs& attrs);
  Outcome<void> close(const sp_op& op, bool commit);

 private:
  S3File(Shared& shared, Owner owner) : shared_(shared), owner_(owner) {}

  Shared& shared_;
  const Owner owner_;
  // Of a file that is read:
  ObjectInfo info_;
  std::string key_;
  std::shared_ptr<S3Client> client_;
  std::unique_ptr<object_common::RangeReader> reader_;
  std::unique_ptr<S3Upload> upload_;  // of one that is written
};

}  // namespace fs_s3
