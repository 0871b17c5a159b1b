// SPDX-License-Identifier: Apache-2.0
//
// Data goes to the part writer at once; what the store is to copy is put off until it is known how much it is and what
// follows: a whole object takes one request, a large range few parts, and a small one is read after all.
#include "s3_upload.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "encoding.h"
#include "shared.h"

namespace fs_s3 {
namespace {

constexpr std::uint64_t kReadBytes = 1024 * 1024;  // at a time, of what is too small for the store to copy
constexpr int kLooks = 2;                          // at an upload that may get a part after its end

// Signatures are of the data's digest.
class Sum final : public object_common::PartSum {
 public:
  void add(std::span<const std::byte> data) override { sha256_.add(data); }
  std::string hex() const { return fs_s3::hex(sha256_.so_far()); }

 private:
  Sha256 sha256_;
};

Payload payload_of(const object_common::PartData& data) {
  return {data.bytes, data.sum != nullptr ? static_cast<const Sum&>(*data.sum).hex() : ""};
}

}  // namespace

class S3Upload::Target final : public object_common::PartTarget {
 public:
  Target(Shared& shared, std::shared_ptr<S3Client> client, std::string key)
      : log_(&shared.host, "fs-s3"),
        leftovers_(shared.leftovers),
        client_(std::move(client)),
        key_(std::move(key)),
        nature_(client_->nature_of(key_)) {}

  std::unique_ptr<object_common::PartSum> new_sum() override { return std::make_unique<Sum>(); }
  Outcome<void> put_whole(const Stop& stop, const object_common::PartData& data) override {
    told_ = true;
    return client_->put(stop, key_, nature_, payload_of(data), only_new_);
  }
  Outcome<void> begin(const Stop& stop) override {
    auto upload = client_->begin_parts(stop, key_, nature_);
    if (!upload) return std::move(upload.failure());
    upload_ = std::move(*upload);
    told_ = true;
    return {};
  }
  Outcome<void> put_part(const Stop& stop, int number, const object_common::PartData& data) override {
    return keep(number, client_->put_part(stop, {key_, upload_, number}, payload_of(data)));
  }
  Outcome<void> copy_part(const Stop& stop, int number, const S3Client::Range& from) {
    return keep(number, client_->copy_part(stop, {key_, upload_, number}, from));
  }
  Outcome<void> complete(const Stop& stop, int) override {
    return client_->complete_parts(stop, key_, upload_, etags_, only_new_);
  }
  void abort() override try {
    auto done = client_->abort_parts(nullptr, key_, upload_);
    if (done && !in_doubt_) return;
    if (!done) log_.warn("parts of an upload given up are taken back later: " + done.failure().message);
    leftovers_.add(client_, {.key = key_, .id = upload_, .looks = in_doubt_ ? kLooks : 1});
  } catch (const std::exception&) {
    log_.warn("short of memory: parts of an upload may stay in the store");
  }

  std::string store() const override { return client_->store(); }

  const sallyport::Log& log() const { return log_; }
  const Nature& nature() const { return nature_; }
  void only_new() { only_new_ = true; }
  bool is_only_new() const { return only_new_; }
  void become(Nature nature) {
    nature_ = std::move(nature);
    forget_mtime(nature_);
  }
  // False: the store has been told already what the object is.
  bool set_mtime(std::int64_t mtime_ns) {
    keep_mtime(nature_, mtime_ns);
    return !told_;
  }

 private:
  Outcome<void> keep(int number, Outcome<std::string> etag) {
    const std::lock_guard lock(mutex_);
    if (!etag) {
      in_doubt_ = in_doubt_ || in_doubt(etag.failure());
      return std::move(etag.failure());
    }
    if (etags_.size() < static_cast<std::size_t>(number)) etags_.resize(static_cast<std::size_t>(number));
    etags_[static_cast<std::size_t>(number) - 1] = std::move(*etag);
    return {};
  }

  const sallyport::Log log_;
  Leftovers& leftovers_;
  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  Nature nature_;
  bool told_ = false, only_new_ = false;
  std::string upload_;
  std::mutex mutex_;
  std::vector<std::string> etags_;  // under mutex_ while parts go up
  bool in_doubt_ = false;           // the store may yet take a part for which nobody waits any more; as etags_
};

S3Upload::S3Upload(Shared& shared, Memory memory, std::shared_ptr<S3Client> client, std::string key)
    : shared_(shared),
      client_(std::move(client)),
      key_(std::move(key)),
      target_(std::make_shared<Target>(shared, client_, key_)),
      writer_(target_, shared.pool, std::move(memory), shared.settings.upload) {}

std::uint64_t S3Upload::size() const { return writer_.size() + copying_.load(std::memory_order_relaxed); }

Outcome<void> S3Upload::append(const Stop& stop, std::span<const std::byte> data) {
  if (broken_) return *broken_;
  if (copy_ && !data.empty()) {
    if (auto sent = send_copy(stop, true); !sent) return sent;
  }
  return writer_.append(stop, data);
}

Outcome<bool> S3Upload::append_copy(const Stop& stop, const S3Client::Range& from, std::uint64_t source_size) {
  if (broken_) return *broken_;
  if (copy_) {
    S3Client::Range& so_far = copy_->range;
    const bool goes_on =
        so_far.key == from.key && so_far.etag == from.etag && so_far.offset + so_far.length == from.offset;
    if (goes_on) {
      so_far.length += from.length;
      copying_ = so_far.length;
      return true;
    }
    if (auto sent = send_copy(stop, true); !sent) return std::move(sent.failure());
  }
  if (!writer_.may_append_part()) return false;
  copy_ = Copy{from, source_size};
  copying_ = from.length;
  return true;
}

// What follows a copy that failed would lie where the copy belongs.
Outcome<void> S3Upload::send_copy(const Stop& stop, bool more_comes) {
  auto sent = try_to_send_copy(stop, more_comes);
  if (!sent) broken_ = sent.failure();
  return sent;
}

// In parts of equal size, so that none but the last of all is smaller than a store takes.
Outcome<void> S3Upload::try_to_send_copy(const Stop& stop, bool more_comes) {
  const S3Client::Range range = std::exchange(copy_, std::nullopt)->range;
  copying_ = 0;
  if (more_comes && range.length < shared_.settings.upload.min_part_bytes) return append_what_is_there(stop, range);
  const std::uint64_t largest = S3Client::Options{}.copy_part_bytes;
  const std::uint64_t count = (range.length + largest - 1) / largest;
  const std::uint64_t step = (range.length + count - 1) / count;
  for (std::uint64_t at = 0; at < range.length; at += step) {
    const S3Client::Range part{range.key, range.etag, range.offset + at, std::min(step, range.length - at)};
    auto make = [target = target_, part](const Stop& given_up, int number) {
      return target->copy_part(given_up, number, part);
    };
    if (auto sent = writer_.append_part(stop, part.length, std::move(make)); !sent) return sent;
  }
  return {};
}

Outcome<void> S3Upload::append_what_is_there(const Stop& stop, const S3Client::Range& range) {
  std::vector<std::byte> data;
  for (std::uint64_t at = 0; at < range.length; at += data.size()) {
    data.resize(static_cast<std::size_t>(std::min(kReadBytes, range.length - at)));
    if (auto got = client_->get(stop, range.key, range.etag, range.offset + at, data); !got) return got;
    if (auto appended = writer_.append(stop, data); !appended) return appended;
  }
  return {};
}

void S3Upload::go_on(const ObjectInfo& there) {
  target_->become(there.nature);
  if (there.size == 0) return;
  copy_ = Copy{{key_, there.etag, 0, there.size}, there.size};
  copying_ = there.size;
}

void S3Upload::only_new() { target_->only_new(); }

bool S3Upload::start_over() {
  if (writer_.size() != 0 || broken_) return false;
  copy_.reset();
  copying_ = 0;
  target_->become(client_->nature_of(key_));
  return true;
}

// Not before the object is whole: then its parts were begun without it.
Outcome<void> S3Upload::tell_mtime(const Stop& stop) {
  auto info = client_->head(stop, key_);
  if (!info) return std::move(info.failure());
  if (info->size != writer_.size()) return Failure{SP_E_CONFLICT, "another object has the key by now", 0};
  return client_->copy(stop, key_, key_, *info, &target_->nature());
}

// Below it nothing may be made any more.
Outcome<void> S3Upload::finish(const Stop& stop) {
  auto done = publish(stop);
  shared_.parents_seen.forget(client_->whole_name(key_));
  return done;
}

Outcome<void> S3Upload::publish(const Stop& stop) {
  if (broken_) {
    writer_.abort();
    return *broken_;
  }
  const bool told_in_time = !mtime_ns_ || target_->set_mtime(*mtime_ns_);
  if (copy_) {
    const S3Client::Range& range = copy_->range;
    // Copies in one request replace what is there: where nothing may be, parts are copied.
    const bool whole =
        writer_.size() == 0 && range.offset == 0 && range.length == copy_->source_size && !target_->is_only_new();
    if (whole && range.key == key_ && !mtime_ns_) return {};  // it is as it was
    if (whole) {
      const ObjectInfo source{.size = range.length, .etag = range.etag};
      return client_->copy(stop, range.key, key_, source, &target_->nature());
    }
    if (auto sent = send_copy(stop, false); !sent) {
      writer_.abort();
      return sent;
    }
  }
  if (auto done = writer_.finish(stop); !done) return done;
  if (told_in_time) return {};
  if (auto told = tell_mtime(stop); !told) {
    target_->log().warn("the object is there, its time could not be kept: " + told.failure().message);
  }
  return {};
}

}  // namespace fs_s3
