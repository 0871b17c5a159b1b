// SPDX-License-Identifier: Apache-2.0
//
// The requests of S3 that a file system needs, each with signature, retries and errors in words. Keys are whole keys:
// what a user may reach is decided above. Any thread; calls block.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "credentials.h"
#include "http_client.h"
#include "object-common/backoff.h"
#include "object-common/stop.h"
#include "object-common/task_pool.h"
#include "s3_error.h"
#include "s3_types.h"
#include "uploads_alive.h"

namespace fs_s3 {

using object_common::Stop;
class S3Client : public std::enable_shared_from_this<S3Client> {
 public:
  struct Options {
    object_common::RetryPolicy retries = {};
    object_common::TaskPool* pool = nullptr;  // for copies of large objects; none: one part after the other
    std::uint64_t max_copy_bytes = std::uint64_t{5} << 30;   // of one request
    std::uint64_t copy_part_bytes = std::uint64_t{1} << 30;  // 5 TiB in 5120 parts
    // Told of every request, its repetitions included: name, whether it worked, how long it took. Any thread.
    std::function<void(std::string_view operation, bool good, std::chrono::nanoseconds time)> watch = {};
    // Given what may stay in the store: parts of a copy that failed, uploads that were perhaps begun.
    std::function<void(std::shared_ptr<S3Client> client, const LeftUpload& upload)> left = {};
    // Of all clients: those that somebody is about to end are not left.
    std::shared_ptr<UploadsAlive> alive = std::make_shared<UploadsAlive>();
  };
  S3Client(std::shared_ptr<HttpClient> http, std::shared_ptr<CredentialsSource> credentials, Bucket bucket,
           Options options);

  const Bucket& bucket() const { return bucket_; }
  std::string store() const { return bucket_.service(); }
  // Of that key among all of all stores.
  std::string whole_name(const std::string& key) const { return store() + "/" + bucket_.name + "/" + key; }
  // Of a new object of that name.
  Nature nature_of(const std::string& key) const;
  Outcome<void> head_bucket(const Stop& stop);
  Outcome<ObjectInfo> head(const Stop& stop, const std::string& key);
  // Fills `into`; SP_E_CONFLICT when the object is not the one of that ETag any more.
  Outcome<void> get(const Stop& stop, const std::string& key, const std::string& etag, std::uint64_t offset,
                    std::span<std::byte> into);
  // `only_new`: SP_E_EXISTS when there is an object of that name; a store that knows no such condition replaces it.
  Outcome<void> put(const Stop& stop, const std::string& key, const Nature& nature, const Payload& payload,
                    bool only_new = false);
  Outcome<void> remove(const Stop& stop, const std::string& key);
  struct Listing {
    std::string prefix = {}, token = {};
    bool whole_tree = false;  // otherwise what lies deeper shows up as prefixes
    int max = 1000;
  };
  Outcome<ListPage> list(const Stop& stop, const Listing& what);
  // Any size. What the object is, other than its name, stays, or becomes `nature`. SP_E_CONFLICT when it is not the one
  // of `what` any more. `made`: gets the ETag of the copy, also where it is only perhaps made; nothing where that is
  // unknown.
  Outcome<void> copy(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what,
                     const Nature* nature = nullptr, std::string* made = nullptr);

  // Where the answer got lost it is begun once more; of the other, should there be one, the options' `left` is told.
  Outcome<std::string> begin_parts(const Stop& stop, const std::string& key, const Nature& nature);
  struct PartName {
    std::string key, upload;
    int number = 0;
  };
  // These answer with the part's ETag.
  Outcome<std::string> put_part(const Stop& stop, const PartName& part, const Payload& payload);
  struct Range {
    std::string key, etag;
    std::uint64_t offset = 0, length = 0;
  };
  Outcome<std::string> copy_part(const Stop& stop, const PartName& part, const Range& from);
  Outcome<void> complete_parts(const Stop& stop, const std::string& key, const std::string& upload,
                               const std::vector<std::string>& etags, bool only_new = false);
  // Uploads that were begun in that time, by the store's clock, and got nowhere.
  Outcome<std::vector<std::string>> uploads_without_parts(const Stop& stop, const std::string& key,
                                                          std::int64_t from_ns, std::int64_t to_ns);
  // True: there was such an upload. Soon given up: what stays is for the bucket's own rules to clear away.
  // `hurry`: whoever asks is about to end, and does not even wait long for a connection.
  Outcome<bool> abort_parts(const Stop& stop, const std::string& key, const std::string& upload, bool hurry = false);

 private:
  struct Request {
    std::string_view operation;  // S3's name of it
    std::string method;
    std::optional<std::string> key = {};  // nothing: the bucket itself
    std::vector<std::pair<std::string, std::string>> query = {};
    std::map<std::string, std::string> headers = {};  // names in lower case
    Payload body = {};
    std::span<std::byte> into = {};
    bool once = false;  // not again when it is unknown whether it was done
    // An element of a good answer. What takes long is answered 200 at first, and said to have worked only in the body:
    // without this it is not known to have.
    std::string_view proof = {};
    std::string_view ending = {};  // the same where the answer is long: text that ends a whole one
    std::optional<object_common::RetryPolicy> retries = {};  // other than usual
    // What the store may need to do it, besides the usual; `is_quiet`: and says nothing meanwhile.
    std::chrono::seconds works{0};
    bool is_quiet = false;
  };
  // What an attempt was made with.
  struct Attempt {
    std::chrono::steady_clock::time_point until;
    Credentials credentials = {};
    std::int64_t skew_s = 0;
  };
  Outcome<HttpAnswer> send(const Stop& stop, const Request& request);
  Outcome<HttpAnswer> send_if_new(const Stop& stop, Request request);
  Outcome<HttpAnswer> attempt(const Stop& stop, const Request& request, const std::string& payload_hash, Attempt& with);
  bool put_right(const Stop& stop, const Request& request, const HttpAnswer& answer, const Attempt& with,
                 S3Error& error);
  std::string code_behind(const Stop& stop, const Request& head);
  std::map<std::string, std::string> copy_source(const std::string& from, const std::string& etag) const;
  Outcome<void> copy_in_parts(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what,
                              const Nature& nature, std::string* made);
  Outcome<std::string> keep_alive(const std::string& key, std::string upload);
  Outcome<UploadsPage> uploads(const Stop& stop, const std::string& key, const UploadsPage& before);
  std::string target(const Request& request) const;
  Failure in_words(const Request& request, Failure failure) const;
  bool correct_clock(const HttpAnswer& answer, const Attempt& with, std::int64_t tolerance_s);
  std::int64_t store_time_ns() const;
  void learn_time(const HttpAnswer& answer);
  static bool is_whole(const Request& request, const HttpAnswer& answer);
  bool is_made_of(const Stop& stop, const std::string& key, const std::vector<std::string>& etags);

  const std::shared_ptr<HttpClient> http_;
  const std::shared_ptr<CredentialsSource> credentials_;
  const Bucket bucket_;
  const Options options_;
  std::atomic<std::int64_t> clock_skew_s_ = 0;   // what the store's clock is ahead of ours, where that matters to it
  std::atomic<std::int64_t> store_ahead_s_ = 0;  // the same as last seen, little as it may be
};

}  // namespace fs_s3
