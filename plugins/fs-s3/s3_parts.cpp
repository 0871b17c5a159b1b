// SPDX-License-Identifier: Apache-2.0
//
// The requests of S3 for objects in parts, and copies, which for large objects are made of parts too.
#include <algorithm>
#include <utility>

#include "encoding.h"
#include "s3_client.h"
#include "s3_error.h"
#include "xml.h"

namespace fs_s3 {
namespace {

constexpr std::uint64_t kMaxCopyBytes = std::uint64_t{5} << 30;   // of one copy request
constexpr std::uint64_t kCopyPartBytes = std::uint64_t{1} << 30;  // 5 TiB in 5120 parts

// Of what only tidies up: a store that does not answer must not hold whoever waits.
constexpr object_common::RetryPolicy kSoonGivenUp{.attempts = 2, .total = std::chrono::seconds(20)};

void keep_nature(std::map<std::string, std::string>& headers, const ObjectInfo& like) {
  headers["content-type"] = like.content_type.empty() ? "application/octet-stream" : like.content_type;
  if (!like.storage_class.empty()) headers["x-amz-storage-class"] = like.storage_class;
  headers.insert(like.metadata.begin(), like.metadata.end());
}

}  // namespace

Outcome<std::string> S3Client::begin_parts(const Stop& stop, const std::string& key, const ObjectInfo* like) {
  // Sent twice it would begin two uploads, and nobody would end the first.
  Request request{.method = "POST", .key = key, .query = {{"uploads", ""}}, .once = true};
  if (like != nullptr) {
    keep_nature(request.headers, *like);
  } else {
    request.headers["content-type"] = content_type_of(key);
    if (!bucket_.storage_class.empty()) request.headers["x-amz-storage-class"] = bucket_.storage_class;
  }
  auto answer = send(stop, request);
  if (!answer) return with_class(answer.failure());
  auto upload = xml_element(answer->body, "InitiateMultipartUploadResult/UploadId");
  if (upload.empty()) return Failure{SP_E_IO, "the store begins an upload without naming it", 0};
  return upload;
}

Outcome<std::string> S3Client::put_part(const Stop& stop, const std::string& key, const std::string& upload, int number,
                                        std::span<const std::byte> data) {
  auto answer = send(stop, {.method = "PUT",
                            .key = key,
                            .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}},
                            .body = data});
  if (!answer) return std::move(answer.failure());
  return answer->header("etag");
}

Outcome<void> S3Client::complete_parts(const Stop& stop, const std::string& key, const std::string& upload,
                                       const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    body +=
        "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + xml_escape(etags[i]) + "</ETag></Part>";
  }
  body += "</CompleteMultipartUpload>";
  const Request request{.method = "POST",
                        .key = key,
                        .query = {{"uploadId", upload}},
                        .headers = {{"content-type", "application/xml"}},
                        .body = std::as_bytes(std::span(body)),
                        .proof = "CompleteMultipartUploadResult/Key"};  // Ceph leaves the ETag empty at first
  auto answer = send(stop, request);
  if (answer) return {};
  // It may have been done by an attempt whose answer got lost: then the upload is gone and the object is of these
  // parts. Whether it is gone is found out by taking it back, so that nothing completes it later.
  bool gone = answer.failure().status == SP_E_NOT_FOUND;
  if (answer.failure().status == SP_E_IO) {
    auto was_there = abort_parts(nullptr, key, upload);
    gone = was_there && !*was_there;
  }
  if (gone && is_made_of(stop, key, etags)) return {};
  return std::move(answer.failure());
}

bool S3Client::is_made_of(const Stop& stop, const std::string& key, const std::vector<std::string>& etags) {
  const std::string wanted = etag_of_parts(etags);
  auto now = head(stop, key);
  return now && !wanted.empty() && now->etag == wanted;
}

Outcome<bool> S3Client::abort_parts(const Stop& stop, const std::string& key, const std::string& upload) {
  auto answer = send(stop, {.method = "DELETE", .key = key, .query = {{"uploadId", upload}}, .retries = kSoonGivenUp});
  if (answer) return true;
  if (answer.failure().status == SP_E_NOT_FOUND) return false;
  return std::move(answer.failure());
}

Outcome<std::string> S3Client::copy_part(const Stop& stop, const std::string& from, const std::string& to,
                                         const std::string& upload, const std::string& etag, int number,
                                         std::uint64_t offset, std::uint64_t length) {
  const std::string range = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + length - 1);
  Request request{.method = "PUT",
                  .key = to,
                  .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}},
                  .headers = copy_source(from, etag),
                  .proof = "CopyPartResult/ETag"};
  request.headers["x-amz-copy-source-range"] = range;
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  return xml_element(answer->body, request.proof);
}

// Of the object that was looked at: what took its name meanwhile is another one.
std::map<std::string, std::string> S3Client::copy_source(const std::string& from, const std::string& etag) const {
  std::map<std::string, std::string> headers{
      {"x-amz-copy-source", "/" + uri_encode(bucket_.name) + "/" + uri_encode(from, true)}};
  if (!etag.empty()) headers["x-amz-copy-source-if-match"] = etag;
  return headers;
}

Outcome<void> S3Client::copy_in_parts(const Stop& stop, const std::string& from, const std::string& to,
                                      const ObjectInfo& what) {
  auto upload = begin_parts(stop, to, &what);
  if (!upload) return std::move(upload.failure());
  std::vector<std::string> etags;
  Outcome<void> done;
  for (std::uint64_t at = 0; done && at < what.size; at += kCopyPartBytes) {
    const auto length = std::min(kCopyPartBytes, what.size - at);
    auto etag = copy_part(stop, from, to, *upload, what.etag, static_cast<int>(etags.size()) + 1, at, length);
    if (etag) {
      etags.push_back(std::move(*etag));
    } else {
      done = std::move(etag.failure());
    }
  }
  if (done) done = complete_parts(stop, to, *upload, etags);
  if (!done) (void)abort_parts(nullptr, to, *upload);
  return done;
}

Outcome<void> S3Client::copy(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what) {
  if (what.size > kMaxCopyBytes) return copy_in_parts(stop, from, to, what);
  Request request{
      .method = "PUT", .key = to, .headers = copy_source(from, what.etag), .proof = "CopyObjectResult/ETag"};
  request.headers["x-amz-metadata-directive"] = "COPY";
  // Of all that an object is, this alone is not copied by itself.
  if (!what.storage_class.empty()) request.headers["x-amz-storage-class"] = what.storage_class;
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  return {};
}

}  // namespace fs_s3
