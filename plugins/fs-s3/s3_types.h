// SPDX-License-Identifier: Apache-2.0
//
// Buckets, objects and listings, as the requests give and take them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "endpoint.h"

namespace fs_s3 {

struct Bucket {
  std::string name, region, storage_class;
  Endpoint endpoint;
  bool in_path = true;  // "/bucket/key"; otherwise the bucket is part of the endpoint's name
  // The same for all buckets of one service.
  std::string service() const;
};

// What an object is besides its name and its data: headers of the request that makes it, names in lower case.
using Nature = std::map<std::string, std::string>;

struct ObjectInfo {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;  // the store's own: when it was uploaded
  std::string etag;
  Nature nature = {};
};

// What goes up in one request.
struct Payload {
  Payload() = default;
  Payload(std::span<const std::byte> bytes, std::string sha256_hex = {})  // NOLINT(google-explicit-constructor)
      : data(bytes), sha256(std::move(sha256_hex)) {}
  std::span<const std::byte> data;
  std::string sha256;  // in hex; empty: nobody has made it yet
};

struct Listed {
  std::string key;
  bool is_prefix = false;  // ends with '/': there are keys below it
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};
// An upload that nobody will end.
struct LeftUpload {
  std::string key, id;
  // Without an id: nobody knows whether it was begun, in this time by the store's clock.
  std::int64_t from_ns = 0, to_ns = 0;
  int looks = 1;  // how often it must be seen to be gone: a part on its way may arrive after its upload's end
};

struct UploadsPage {
  std::vector<LeftUpload> uploads = {};  // from_ns: when it was begun
  std::string last_key = {}, last_id = {};
  bool more = false;  // behind that one
};

struct ListPage {
  std::vector<Listed> entries;
  std::string next;  // token of the next page; empty: that was the last
};

// By the ending of a name, as web servers would say it.
std::string content_type_of(std::string_view key);
// Of the answer about an object, what has to be said again to make another one like it.
Nature nature_in(const std::map<std::string, std::string>& headers);

// A time of the client's, where other tools keep and look for it ("x-amz-meta-mtime: 1354040105.25").
void keep_mtime(Nature& nature, std::int64_t mtime_ns);
std::optional<std::int64_t> kept_mtime(const Nature& nature);
void forget_mtime(Nature& nature);

}  // namespace fs_s3
