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

std::string element(const std::string& xml, std::string_view wanted) {
  std::string found;
  (void)parse_xml(xml, [&](std::string_view path, const std::string& text) {
    if (path == wanted) found = text;
  });
  return found;
}

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
  auto upload = element(answer->body, "InitiateMultipartUploadResult/UploadId");
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
                        .body = std::as_bytes(std::span(body))};
  auto answer = send(stop, request);
  if (answer) return {};
  // It may have been done by an attempt whose answer got lost: then the upload is gone and the object is of these
  // parts.
  const auto mark = "-" + std::to_string(etags.size()) + "\"";
  if (answer.failure().status == SP_E_NOT_FOUND) {
    auto now = head(stop, key);
    if (now && now->etag.ends_with(mark)) return {};
  }
  return std::move(answer.failure());
}

Outcome<void> S3Client::abort_parts(const Stop& stop, const std::string& key, const std::string& upload) {
  auto answer = send(stop, {.method = "DELETE", .key = key, .query = {{"uploadId", upload}}});
  if (!answer && answer.failure().status != SP_E_NOT_FOUND) return std::move(answer.failure());
  return {};
}

Outcome<std::string> S3Client::copy_part(const Stop& stop, const std::string& from, const std::string& to,
                                         const std::string& upload, int number, std::uint64_t offset,
                                         std::uint64_t length) {
  const std::string range = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + length - 1);
  auto answer =
      send(stop, {.method = "PUT",
                  .key = to,
                  .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}},
                  .headers = {{"x-amz-copy-source", "/" + uri_encode(bucket_.name) + "/" + uri_encode(from, true)},
                              {"x-amz-copy-source-range", range}}});
  if (!answer) return std::move(answer.failure());
  auto etag = element(answer->body, "CopyPartResult/ETag");
  if (etag.empty()) return Failure{SP_E_IO, "the store copies a part without naming it", 0};
  return etag;
}

Outcome<void> S3Client::copy_in_parts(const Stop& stop, const std::string& from, const std::string& to,
                                      const ObjectInfo& what) {
  auto upload = begin_parts(stop, to, &what);
  if (!upload) return std::move(upload.failure());
  std::vector<std::string> etags;
  Outcome<void> done;
  for (std::uint64_t at = 0; done && at < what.size; at += kCopyPartBytes) {
    const auto length = std::min(kCopyPartBytes, what.size - at);
    auto etag = copy_part(stop, from, to, *upload, static_cast<int>(etags.size()) + 1, at, length);
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
  Request request{.method = "PUT",
                  .key = to,
                  .headers = {{"x-amz-copy-source", "/" + uri_encode(bucket_.name) + "/" + uri_encode(from, true)},
                              {"x-amz-metadata-directive", "COPY"}}};
  // Of all that an object is, this alone is not copied by itself.
  if (!what.storage_class.empty()) request.headers["x-amz-storage-class"] = what.storage_class;
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  return {};
}

}  // namespace fs_s3
