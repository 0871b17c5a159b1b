// SPDX-License-Identifier: Apache-2.0
//
// Where the store's requests meet what reads ahead and what gathers parts. Calls come on the host's workers; reads
// several at once, and on I/O threads where they must not wait; writes one after the other.
#include "s3_file.h"

#include <algorithm>
#include <utility>

#include "shared.h"

namespace fs_s3 {
namespace {

class Ranges final : public object_common::RangeSource {
 public:
  Ranges(std::shared_ptr<S3Client> client, std::string key, std::string etag)
      : client_(std::move(client)), key_(std::move(key)), etag_(std::move(etag)) {}
  Outcome<void> fetch(const Stop& stop, std::uint64_t offset, std::span<std::byte> into) override {
    return client_->get(stop, key_, etag_, offset, into);
  }
  std::string store() const override { return client_->store(); }

 private:
  const std::shared_ptr<S3Client> client_;
  const std::string key_, etag_;
};

}  // namespace

std::unique_ptr<S3File> S3File::to_read(Shared& shared, Memory memory, std::shared_ptr<S3Client> client,
                                        std::string key, const ObjectInfo& info, Owner owner) {
  std::unique_ptr<S3File> file(new S3File(shared, owner));
  file->info_ = info;
  file->key_ = key;
  file->client_ = client;
  auto ranges = std::make_shared<Ranges>(std::move(client), std::move(key), info.etag);
  file->reader_ = std::make_unique<object_common::RangeReader>(std::move(ranges), info.size, shared.pool,
                                                               std::move(memory), shared.settings.download);
  return file;
}

std::unique_ptr<S3File> S3File::to_write(Shared& shared, Memory memory, std::shared_ptr<S3Client> client,
                                         std::string key, const ObjectInfo* goes_on, bool only_new, Owner owner) {
  std::unique_ptr<S3File> file(new S3File(shared, owner));
  file->upload_ = std::make_unique<S3Upload>(shared, std::move(memory), std::move(client), std::move(key));
  if (goes_on != nullptr) file->upload_->go_on(*goes_on);
  if (only_new) file->upload_->only_new();
  return file;
}

Outcome<std::size_t> S3File::read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset) {
  if (!reader_) return Failure{SP_E_UNSUPPORTED, "a file being written cannot be read", 0};
  if ((op.flags & SP_OP_NOWAIT) != 0) {
    if (const auto ready = reader_->read_at_once(into, offset)) return *ready;
    return Failure{SP_E_WOULD_BLOCK, {}, 0};
  }
  const auto stop = shared_.stop_of(op);
  std::size_t got = 0;
  // Some clients take a short answer for the end.
  while (got < into.size()) {
    auto step = reader_->read_at(stop, into.subspan(got), offset + got);
    if (!step) return step;
    if (*step == 0) break;
    got += *step;
  }
  return got;
}

Outcome<void> S3File::write_at(const sp_op& op, std::span<const std::byte> data, std::uint64_t offset) {
  if (!upload_) return Failure{SP_E_UNSUPPORTED, "the file is open to be read", 0};
  if (offset != upload_->size()) {
    return Failure{SP_E_UNSUPPORTED, "an object is written from its beginning to its end, without gaps", 0};
  }
  return upload_->append(shared_.stop_of(op), data);
}

Outcome<std::uint64_t> S3File::copy_range(const sp_op& op, std::uint64_t offset, std::uint64_t length, S3File& to,
                                          std::uint64_t to_offset) {
  const Failure cannot{SP_E_UNSUPPORTED, "the store cannot copy this", 0};
  if (!reader_ || !to.upload_ || &to.upload_->client() != client_.get()) return cannot;
  if (offset >= info_.size || length == 0) return std::uint64_t{0};
  if (to_offset != to.upload_->size()) return cannot;
  length = std::min(length, info_.size - offset);
  auto taken = to.upload_->append_copy(shared_.stop_of(op), {key_, info_.etag, offset, length}, info_.size);
  if (!taken) return std::move(taken.failure());
  if (!*taken) return cannot;
  return length;
}

Outcome<sp_attrs> S3File::stat(const sp_op&) {
  if (reader_) return file_attrs(owner_, info_.size, shown_mtime(shared_.settings, info_));
  return file_attrs(owner_, upload_->size(), upload_->mtime_ns().value_or(0));
}

// Permissions and owners mean nothing to a store; whoever sets them is not told, as in the replaced system.
Outcome<void> S3File::set_attrs(const sp_op&, const sp_attrs& attrs) {
  if ((attrs.valid & SP_ATTR_SIZE) != 0 && (!upload_ || attrs.size != 0 || !upload_->start_over())) {
    return Failure{SP_E_UNSUPPORTED, "a store changes no sizes", 0};
  }
  if ((attrs.valid & (SP_ATTR_MTIME | SP_ATTR_ATIME)) == 0) return {};
  if (!upload_ || shared_.settings.times == Settings::Times::kStore) {
    return Failure{SP_E_UNSUPPORTED, "times are kept of whole objects, with mtime_in_metadata", 0};
  }
  if ((attrs.valid & SP_ATTR_MTIME) != 0) upload_->set_mtime(attrs.mtime_ns);
  return {};
}

Outcome<void> S3File::close(const sp_op& op, bool commit) {
  if (!upload_) return {};
  if (commit) return upload_->finish(shared_.stop_of(op));
  upload_->abort();
  return {};
}

}  // namespace fs_s3
