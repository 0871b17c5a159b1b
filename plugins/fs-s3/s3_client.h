// SPDX-License-Identifier: Apache-2.0
//
// The requests of S3 that a file system needs, each with signature, retries and errors in words. Keys are whole keys:
// what a user may reach is decided above. Any thread; calls block.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
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
#include "s3_error.h"

namespace fs_s3 {

using object_common::Stop;

struct Bucket {
  std::string name, region, storage_class;
  Endpoint endpoint;
  bool in_path = true;  // "/bucket/key"; otherwise the bucket is part of the endpoint's name
};

struct ObjectInfo {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string etag, storage_class, content_type;
  std::map<std::string, std::string> metadata;  // "x-amz-meta-..." whole names
};

struct Listed {
  std::string key;
  bool is_prefix = false;  // ends with '/': there are keys below it
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};
struct ListPage {
  std::vector<Listed> entries;
  std::string next;  // token of the next page; empty: that was the last
};

class S3Client {
 public:
  S3Client(std::shared_ptr<HttpClient> http, std::shared_ptr<CredentialsSource> credentials, Bucket bucket,
           const object_common::RetryPolicy& retries);

  const Bucket& bucket() const { return bucket_; }
  Outcome<void> head_bucket(const Stop& stop);
  Outcome<ObjectInfo> head(const Stop& stop, const std::string& key);
  // Fills `into`; SP_E_CONFLICT when the object is not the one of that ETag any more.
  Outcome<void> get(const Stop& stop, const std::string& key, const std::string& etag, std::uint64_t offset,
                    std::span<std::byte> into);
  Outcome<void> put(const Stop& stop, const std::string& key, std::span<const std::byte> data);
  Outcome<void> remove(const Stop& stop, const std::string& key);
  struct Listing {
    std::string prefix = {}, token = {};
    bool whole_tree = false;  // otherwise what lies deeper shows up as prefixes
    int max = 1000;
  };
  Outcome<ListPage> list(const Stop& stop, const Listing& what);
  // Any size; what the object is, other than its name, stays. SP_E_CONFLICT when it is not the one of `what` any more.
  Outcome<void> copy(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what);

  Outcome<std::string> begin_parts(const Stop& stop, const std::string& key, const ObjectInfo* like = nullptr);
  // Answers with its ETag.
  Outcome<std::string> put_part(const Stop& stop, const std::string& key, const std::string& upload, int number,
                                std::span<const std::byte> data);
  Outcome<void> complete_parts(const Stop& stop, const std::string& key, const std::string& upload,
                               const std::vector<std::string>& etags);
  // True: there was such an upload. Soon given up: what stays is for the bucket's own rules to clear away.
  Outcome<bool> abort_parts(const Stop& stop, const std::string& key, const std::string& upload);

 private:
  struct Request {
    std::string method;
    std::optional<std::string> key = {};  // nothing: the bucket itself
    std::vector<std::pair<std::string, std::string>> query = {};
    std::map<std::string, std::string> headers = {};  // names in lower case
    std::span<const std::byte> body = {};
    std::span<std::byte> into = {};
    bool once = false;  // not again when it is unknown whether it was done
    // An element of a good answer. What takes long is answered 200 at first, and said to have worked only in the body:
    // without this it is not known to have.
    std::string_view proof = {};
    std::optional<object_common::RetryPolicy> retries = {};  // other than usual
  };
  // What an attempt was made with.
  struct Attempt {
    std::chrono::steady_clock::time_point until;
    Credentials credentials = {};
    std::int64_t skew_s = 0;
  };
  Outcome<HttpAnswer> send(const Stop& stop, const Request& request);
  Outcome<HttpAnswer> attempt(const Stop& stop, const Request& request, const std::string& payload_hash, Attempt& with);
  bool put_right(const Stop& stop, const Request& request, const HttpAnswer& answer, const Attempt& with,
                 S3Error& error);
  std::string code_behind(const Stop& stop, const Request& head);
  Outcome<std::string> copy_part(const Stop& stop, const std::string& from, const std::string& to,
                                 const std::string& upload, const std::string& etag, int number, std::uint64_t offset,
                                 std::uint64_t length);
  std::map<std::string, std::string> copy_source(const std::string& from, const std::string& etag) const;
  Outcome<void> copy_in_parts(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what);
  std::string target(const Request& request) const;
  Failure with_class(const Failure& failure) const;
  bool correct_clock(const HttpAnswer& answer, const Attempt& with, std::int64_t tolerance_s);
  bool is_made_of(const Stop& stop, const std::string& key, const std::vector<std::string>& etags);

  const std::shared_ptr<HttpClient> http_;
  const std::shared_ptr<CredentialsSource> credentials_;
  const Bucket bucket_;
  const object_common::RetryPolicy retries_;
  std::atomic<std::int64_t> clock_skew_s_ = 0;  // what the store's clock is ahead of ours
};

// By the ending of a name, as web servers would say it.
std::string content_type_of(std::string_view key);

}  // namespace fs_s3
