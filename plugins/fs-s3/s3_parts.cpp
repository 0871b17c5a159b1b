// SPDX-License-Identifier: Apache-2.0
//
// The requests of S3 for objects in parts, and copies, which for large objects are made of parts too.
#include <algorithm>
#include <exception>
#include <utility>

#include "each.h"
#include "encoding.h"
#include "s3_client.h"
#include "s3_error.h"
#include "xml.h"

namespace fs_s3 {
namespace {

constexpr const char* kUploadsOfAPage = "1000";  // the most that stores give at once
constexpr int kPagesLookedAt = 10;
constexpr int kBeginnings = 3;
constexpr std::chrono::nanoseconds kClockTolerance = std::chrono::seconds(2);

constexpr auto kCompleting = std::chrono::minutes(5);    // Amazon says that it may take minutes; it says so meanwhile
constexpr std::uint64_t kSlowestCopy = 4 * 1024 * 1024;  // bytes per second, of one request among several

std::chrono::seconds time_to_copy(std::uint64_t bytes) { return std::chrono::seconds(bytes / kSlowestCopy); }

// Of what only tidies up: a store that does not answer must not hold whoever waits.
constexpr object_common::RetryPolicy kSoonGivenUp{.attempts = 2, .total = std::chrono::seconds(20)};
constexpr object_common::RetryPolicy kTriedOnce{.attempts = 1, .total = std::chrono::seconds(2)};

}  // namespace

Outcome<std::string> S3Client::begin_parts(const Stop& stop, const std::string& key, const Nature& nature) {
  // Sent twice it may begin two uploads, and nobody would end the first without knowing its time.
  const Request request{.operation = "CreateMultipartUpload",
                        .method = "POST",
                        .key = key,
                        .query = {{"uploads", ""}},
                        .headers = nature,
                        .once = true};
  object_common::Backoff backoff({.attempts = kBeginnings, .total = options_.retries.total});
  while (true) {
    const auto begun_ns = store_time_ns() - kClockTolerance.count();
    auto answer = send(stop, request);
    auto upload = answer ? xml_element(answer->body, "InitiateMultipartUploadResult/UploadId") : std::string();
    if (!upload.empty()) return keep_alive(key, std::move(upload));
    Failure failure = answer ? Failure{SP_E_IO, "the store begins an upload without naming it", 0} : answer.failure();
    if (!in_doubt(failure)) return failure;
    if (options_.left) {
      options_.left(weak_from_this().lock(), {key, "", begun_ns, store_time_ns() + kClockTolerance.count()});
    }
    if (!backoff.wait(stop)) return failure;
  }
}

// What cannot be kept from being taken for lost is not used, and taken back.
Outcome<std::string> S3Client::keep_alive(const std::string& key, std::string upload) try {
  options_.alive->add(upload);
  return upload;
} catch (const std::exception& e) {
  if (options_.left) options_.left(weak_from_this().lock(), {.key = key, .id = std::move(upload)});
  return Failure{SP_E_INTERNAL, e.what(), 0};
}

Outcome<std::string> S3Client::put_part(const Stop& stop, const PartName& part, const Payload& payload) {
  auto answer = send(stop, {.operation = "UploadPart",
                            .method = "PUT",
                            .key = part.key,
                            .query = {{"partNumber", std::to_string(part.number)}, {"uploadId", part.upload}},
                            .body = payload});
  if (!answer) return std::move(answer.failure());
  return answer->header("etag");
}

Outcome<void> S3Client::complete_parts(const Stop& stop, const std::string& key, const std::string& upload,
                                       const std::vector<std::string>& etags, bool only_new) {
  std::string body = "<CompleteMultipartUpload>";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    body +=
        "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + xml_escape(etags[i]) + "</ETag></Part>";
  }
  body += "</CompleteMultipartUpload>";
  const Request request{.operation = "CompleteMultipartUpload",
                        .method = "POST",
                        .key = key,
                        .query = {{"uploadId", upload}},
                        .headers = {{"content-type", "application/xml"}},
                        .body = std::as_bytes(std::span(body)),
                        .proof = "CompleteMultipartUploadResult/Key",  // Ceph leaves the ETag empty at first
                        .works = kCompleting};
  auto answer = only_new ? send_if_new(stop, request) : send(stop, request);
  if (answer) {
    options_.alive->remove(upload);
    return {};
  }
  // It may have been done by an attempt whose answer got lost: then the upload is gone and the object is of these
  // parts. Whether it is gone is found out by taking it back, so that nothing completes it later.
  bool gone = answer.failure().status == SP_E_NOT_FOUND;
  if (!gone && (answer.failure().status == SP_E_IO || in_doubt(answer.failure()))) {
    auto was_there = abort_parts(nullptr, key, upload);
    gone = was_there && !*was_there;
  }
  if (gone && is_made_of(stop, key, etags)) {
    options_.alive->remove(upload);
    return {};
  }
  return std::move(answer.failure());
}

bool S3Client::is_made_of(const Stop& stop, const std::string& key, const std::vector<std::string>& etags) {
  const std::string wanted = etag_of_parts(etags);
  auto now = head(stop, key);
  return now && !wanted.empty() && now->etag == wanted;
}

std::int64_t S3Client::store_time_ns() const {
  const std::chrono::nanoseconds now = std::chrono::system_clock::now().time_since_epoch();
  return (now + std::chrono::seconds(store_ahead_s_)).count();
}

Outcome<UploadsPage> S3Client::uploads(const Stop& stop, const std::string& key, const UploadsPage& before) {
  // Without an encoding: stores encode other parts of the answer than they say.
  Request request{.operation = "ListMultipartUploads",
                  .method = "GET",
                  .query = {{"uploads", ""}, {"prefix", key}, {"max-uploads", kUploadsOfAPage}},
                  .ending = "</ListMultipartUploadsResult>"};
  if (before.more) {
    request.query.emplace_back("key-marker", before.last_key);
    request.query.emplace_back("upload-id-marker", before.last_id);
  }
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  UploadsPage page;
  LeftUpload upload;
  const bool parsed = parse_xml(answer->body, [&](std::string_view path, const std::string& text) {
    if (path == "ListMultipartUploadsResult/Upload/Key") upload.key = text;
    if (path == "ListMultipartUploadsResult/Upload/UploadId") upload.id = text;
    if (path == "ListMultipartUploadsResult/Upload/Initiated") upload.from_ns = parse_time(text).value_or(0);
    if (path == "ListMultipartUploadsResult/Upload") page.uploads.push_back(std::exchange(upload, {}));
    if (path == "ListMultipartUploadsResult/IsTruncated") page.more = text == "true";
    if (path == "ListMultipartUploadsResult/NextKeyMarker") page.last_key = text;
    if (path == "ListMultipartUploadsResult/NextUploadIdMarker") page.last_id = text;
  });
  if (!parsed || (page.more && page.last_key.empty())) {
    return Failure{SP_E_IO, "the store's answer about uploads makes no sense", 0};
  }
  return page;
}

Outcome<std::vector<std::string>> S3Client::uploads_without_parts(const Stop& stop, const std::string& key,
                                                                  std::int64_t from_ns, std::int64_t to_ns) {
  std::vector<std::string> found;
  UploadsPage page;
  // Not all of them may be of that key, or of that time.
  for (int pages = 0; pages == 0 || page.more; ++pages) {
    if (pages == kPagesLookedAt) {
      if (!found.empty()) break;
      return Failure{SP_E_UNSUPPORTED, "there are more uploads than are looked at", 0};
    }
    auto next = uploads(stop, key, page);
    if (!next) return std::move(next.failure());
    page = std::move(*next);
    for (const auto& upload : page.uploads) {
      const bool then = upload.from_ns >= from_ns && upload.from_ns <= to_ns;
      if (upload.key == key && then && !options_.alive->has(upload.id)) found.push_back(upload.id);
    }
  }
  std::vector<std::string> without;
  for (const auto& upload : found) {
    auto parts = send(stop, {.operation = "ListParts",
                             .method = "GET",
                             .key = key,
                             .query = {{"uploadId", upload}, {"max-parts", "1"}},
                             .ending = "</ListPartsResult>"});
    if (!parts && parts.failure().status == SP_E_NOT_FOUND) continue;  // ended meanwhile
    if (!parts) return std::move(parts.failure());
    if (xml_element(parts->body, "ListPartsResult/Part/PartNumber").empty()) without.push_back(upload);
  }
  return without;
}

Outcome<bool> S3Client::abort_parts(const Stop& stop, const std::string& key, const std::string& upload, bool hurry) {
  options_.alive->remove(upload);
  auto answer = send(stop, {.operation = "AbortMultipartUpload",
                            .method = "DELETE",
                            .key = key,
                            .query = {{"uploadId", upload}},
                            .retries = hurry ? kTriedOnce : kSoonGivenUp});
  if (answer) return true;
  if (answer.failure().status == SP_E_NOT_FOUND) return false;
  return std::move(answer.failure());
}

Outcome<std::string> S3Client::copy_part(const Stop& stop, const PartName& part, const Range& from) {
  Request request{.operation = "UploadPartCopy",
                  .method = "PUT",
                  .key = part.key,
                  .query = {{"partNumber", std::to_string(part.number)}, {"uploadId", part.upload}},
                  .headers = copy_source(from.key, from.etag),
                  .proof = "CopyPartResult/ETag",
                  .works = time_to_copy(from.length),
                  .is_quiet = true};
  request.headers["x-amz-copy-source-range"] =
      "bytes=" + std::to_string(from.offset) + "-" + std::to_string(from.offset + from.length - 1);
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
                                      const ObjectInfo& what, const Nature& nature, std::string* made) {
  auto upload = begin_parts(stop, to, nature);
  if (!upload) return std::move(upload.failure());
  const std::uint64_t step = options_.copy_part_bytes;
  std::vector<std::string> etags((what.size + step - 1) / step);
  const auto one = [&](std::size_t i) -> Outcome<void> {
    const std::uint64_t at = i * step;
    auto etag =
        copy_part(stop, {to, *upload, static_cast<int>(i) + 1}, {from, what.etag, at, std::min(step, what.size - at)});
    if (!etag) return std::move(etag.failure());
    etags[i] = std::move(*etag);
    return {};
  };
  std::size_t ignored = 0;
  Outcome<void> done;
  if (options_.pool != nullptr) {
    done = each(*options_.pool, store(), etags.size(), ignored, one);
  } else {
    for (std::size_t i = 0; done && i < etags.size(); ++i) done = one(i);
  }
  if (done && made != nullptr) *made = etag_of_parts(etags);
  if (done) done = complete_parts(stop, to, *upload, etags);
  if (!done && !abort_parts(nullptr, to, *upload) && options_.left) {
    options_.left(weak_from_this().lock(), {.key = to, .id = *upload});
  }
  return done;
}

Outcome<void> S3Client::copy(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what,
                             const Nature* nature, std::string* made) {
  if (made != nullptr) made->clear();
  if (what.size > options_.max_copy_bytes) {
    return copy_in_parts(stop, from, to, what, nature != nullptr ? *nature : what.nature, made);
  }
  Request request{.operation = "CopyObject",
                  .method = "PUT",
                  .key = to,
                  .headers = copy_source(from, what.etag),
                  .proof = "CopyObjectResult/ETag",
                  .works = time_to_copy(what.size),
                  .is_quiet = true};
  if (nature != nullptr) {
    request.headers.insert(nature->begin(), nature->end());
    request.headers["x-amz-metadata-directive"] = "REPLACE";
  } else {
    request.headers["x-amz-metadata-directive"] = "COPY";
    // Of all that an object is, this alone is not copied by itself.
    const auto stored = what.nature.find("x-amz-storage-class");
    if (stored != what.nature.end()) request.headers.insert(*stored);
  }
  if (made != nullptr) *made = what.etag;  // most copies keep it; counts where the answer gets lost
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  if (made != nullptr) *made = xml_element(answer->body, request.proof);
  return {};
}

}  // namespace fs_s3
