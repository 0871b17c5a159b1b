// SPDX-License-Identifier: Apache-2.0
//
// An object on its way up: what the client writes, and what the store copies into it from objects that it has.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <span>
#include <string>
#include <vector>

#include "object-common/part_writer.h"
#include "s3_client.h"

namespace fs_s3 {

struct Shared;

// One call at a time, but for size().
class S3Upload {
 public:
  using Memory = std::shared_ptr<object_common::MemoryBudget>;  // its user's
  S3Upload(Shared& shared, Memory memory, std::shared_ptr<S3Client> client, std::string key);

  // Behind what there is.
  Outcome<void> append(const Stop& stop, std::span<const std::byte> data);
  // False: what was written before is too little to be followed by what is copied. Nothing is copied before it is known
  // what comes next: many small steps of one copy are one request in the end.
  Outcome<bool> append_copy(const Stop& stop, const S3Client::Range& from, std::uint64_t source_size);
  // Before anything else: what that object holds now is how this one begins.
  void go_on(const ObjectInfo& there);
  // An object that gets the name meanwhile stays, where the store can tell.
  void only_new();
  // Takes go_on back, with what was to be copied; false: data has come by now.
  bool start_over();
  void set_mtime(std::int64_t mtime_ns) { mtime_ns_ = mtime_ns; }
  std::optional<std::int64_t> mtime_ns() const { return mtime_ns_; }
  std::uint64_t size() const;
  Outcome<void> finish(const Stop& stop);
  void abort() { writer_.abort(); }
  const S3Client& client() const { return *client_; }

 private:
  class Target;
  struct Copy {
    S3Client::Range range;
    std::uint64_t source_size = 0;
  };
  Outcome<void> publish(const Stop& stop);
  Outcome<void> send_copy(const Stop& stop, bool more_comes);
  Outcome<void> try_to_send_copy(const Stop& stop, bool more_comes);
  Outcome<void> append_what_is_there(const Stop& stop, const S3Client::Range& range);
  Outcome<void> tell_mtime(const Stop& stop);

  Shared& shared_;
  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  const std::shared_ptr<Target> target_;
  object_common::PartWriter writer_;
  std::optional<Copy> copy_;                // stands behind what writer_ has
  std::optional<Failure> broken_;           // nothing can become of it any more
  std::optional<std::int64_t> mtime_ns_;    // the client's
  std::atomic<std::uint64_t> copying_ = 0;  // bytes of copy_
};

}  // namespace fs_s3
