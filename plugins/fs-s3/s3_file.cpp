// SPDX-License-Identifier: Apache-2.0
//
// Where the store's requests meet what reads ahead and what gathers parts. Calls come on the host's workers; reads
// several at once, writes one after the other.
#include "s3_file.h"

#include <mutex>
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

 private:
  const std::shared_ptr<S3Client> client_;
  const std::string key_, etag_;
};

class Parts final : public object_common::PartTarget {
 public:
  Parts(const sp_host& host, std::shared_ptr<S3Client> client, std::string key)
      : log_(&host, "fs-s3"), client_(std::move(client)), key_(std::move(key)) {}

  Outcome<void> put_whole(const Stop& stop, std::span<const std::byte> data) override {
    return client_->put(stop, key_, data);
  }
  Outcome<void> begin(const Stop& stop) override {
    auto upload = client_->begin_parts(stop, key_);
    if (!upload) return std::move(upload.failure());
    upload_ = std::move(*upload);
    return {};
  }
  Outcome<void> put_part(const Stop& stop, int number, std::span<const std::byte> data) override {
    auto etag = client_->put_part(stop, key_, upload_, number, data);
    if (!etag) return std::move(etag.failure());
    const std::lock_guard lock(mutex_);
    if (etags_.size() < static_cast<std::size_t>(number)) etags_.resize(static_cast<std::size_t>(number));
    etags_[static_cast<std::size_t>(number) - 1] = std::move(*etag);
    return {};
  }
  Outcome<void> complete(const Stop& stop, int) override {
    return client_->complete_parts(stop, key_, upload_, etags_);
  }
  void abort() override {
    auto done = client_->abort_parts(nullptr, key_, upload_);
    if (!done) log_.warn("parts of an upload given up stay in the store: " + done.failure().message);
  }

 private:
  const sallyport::Log log_;
  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  std::string upload_;
  std::mutex mutex_;
  std::vector<std::string> etags_;
};

}  // namespace

std::unique_ptr<S3File> S3File::to_read(Shared& shared, Memory memory, std::shared_ptr<S3Client> client,
                                        std::string key, const ObjectInfo& info, Owner owner) {
  std::unique_ptr<S3File> file(new S3File(shared, owner));
  file->info_ = info;
  auto ranges = std::make_shared<Ranges>(std::move(client), std::move(key), info.etag);
  file->reader_ = std::make_unique<object_common::RangeReader>(std::move(ranges), info.size, shared.pool,
                                                               std::move(memory), shared.settings.download);
  return file;
}

std::unique_ptr<S3File> S3File::to_write(Shared& shared, Memory memory, std::shared_ptr<S3Client> client,
                                         std::string key, Owner owner) {
  std::unique_ptr<S3File> file(new S3File(shared, owner));
  auto parts = std::make_shared<Parts>(shared.host, std::move(client), std::move(key));
  file->writer_ = std::make_unique<object_common::PartWriter>(std::move(parts), shared.pool, std::move(memory),
                                                              shared.settings.upload);
  return file;
}

Outcome<std::size_t> S3File::read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset) {
  if (!reader_) return Failure{SP_E_UNSUPPORTED, "a file being written cannot be read", 0};
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
  if (!writer_) return Failure{SP_E_UNSUPPORTED, "the file is open to be read", 0};
  if (offset != writer_->size()) {
    return Failure{SP_E_UNSUPPORTED, "an object is written from its beginning to its end, without gaps", 0};
  }
  return writer_->append(shared_.stop_of(op), data);
}

Outcome<sp_attrs> S3File::stat(const sp_op&) {
  if (reader_) return file_attrs(owner_, info_.size, info_.mtime_ns);
  return file_attrs(owner_, writer_->size(), 0);
}

// Permissions and owners mean nothing to a store; whoever sets them is not told, as in the replaced system.
Outcome<void> S3File::set_attrs(const sp_op&, const sp_attrs& attrs) {
  if ((attrs.valid & ~std::uint32_t{SP_ATTR_PERMS | SP_ATTR_OWNER}) != 0) {
    return Failure{SP_E_UNSUPPORTED, "a store keeps no times and changes no sizes", 0};
  }
  return {};
}

Outcome<void> S3File::close(const sp_op& op, bool commit) {
  if (!writer_) return {};
  if (commit) return writer_->finish(shared_.stop_of(op));
  writer_->abort();
  return {};
}

}  // namespace fs_s3
