// SPDX-License-Identifier: Apache-2.0
//
// From a request to its answer: signed anew for every attempt, sent, understood, tried again where that is safe. And
// the requests for whole objects; those for parts are in s3_parts.cpp.
#include "s3_client.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>

#include <cstdlib>
#include <utility>

#include "encoding.h"
#include "s3_error.h"
#include "xml.h"

namespace fs_s3 {
namespace {

constexpr int kBadRequest = 400, kForbidden = 403, kNotFound = 404, kNotImplemented = 501;
constexpr std::int64_t kNsPerSecondOfClock = 1'000'000'000;
constexpr std::int64_t kToleratedSkewSeconds = 300;   // stores take up to 900
constexpr std::size_t kBytesPerSecond = 1024 * 1024;  // what moves gets that much longer

std::uint64_t number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

Failure not_understood(std::string_view operation) {
  return {SP_E_IO, "the store's answer to " + std::string(operation) + " makes no sense", 0};
}

}  // namespace

S3Client::S3Client(std::shared_ptr<HttpClient> http, std::shared_ptr<CredentialsSource> credentials, Bucket bucket,
                   Options options)
    : http_(std::move(http)),
      credentials_(std::move(credentials)),
      bucket_(std::move(bucket)),
      options_(std::move(options)) {}

Nature S3Client::nature_of(const std::string& key) const {
  Nature nature{{"content-type", content_type_of(key)}};
  if (!bucket_.storage_class.empty()) nature["x-amz-storage-class"] = bucket_.storage_class;
  return nature;
}

std::string S3Client::target(const Request& request) const {
  std::string path = bucket_.in_path ? "/" + uri_encode(bucket_.name) : "";
  if (request.key) {
    path += "/" + uri_encode(*request.key, true);
  } else if (!bucket_.in_path) {
    path = "/";
  }
  return path;
}

Outcome<HttpAnswer> S3Client::attempt(const Stop& stop, const Request& request, const std::string& payload_hash,
                                      Attempt& with) {
  auto credentials = credentials_->get(stop);
  if (!credentials) return std::move(credentials.failure());
  with.credentials = *credentials;
  with.skew_s = clock_skew_s_;
  const Poco::Timestamp now = Poco::Timestamp::fromEpochTime(std::time(nullptr) + with.skew_s);
  SignedRequest to_sign{request.method, target(request), request.query, request.headers, payload_hash};
  to_sign.headers["host"] = bucket_.endpoint.authority();
  to_sign.headers["x-amz-content-sha256"] = payload_hash;
  to_sign.headers["x-amz-date"] = Poco::DateTimeFormatter::format(now, "%Y%m%dT%H%M%SZ");
  if (!credentials->session_token.empty()) to_sign.headers["x-amz-security-token"] = credentials->session_token;
  HttpRequest http{request.method, to_sign.path, to_sign.headers, request.body.data};
  http.until = with.until + request.works;
  http.quiet = request.is_quiet ? request.works : std::chrono::seconds(0);
  http.stop = stop;
  http.headers["authorization"] =
      authorization(to_sign, *credentials, {bucket_.region, "s3"}, to_sign.headers["x-amz-date"]);
  if (!request.query.empty()) http.target += "?" + canonical_query(request.query);
  const auto begun = std::chrono::steady_clock::now();
  auto answer = http_->call(bucket_.endpoint, http, request.into, request.once);
  if (answer) learn_time(*answer);
  if (options_.watch) {
    const bool good = answer && (answer->ok() || answer->status == kNotFound);  // that there is nothing is an answer
    options_.watch(request.operation, good, std::chrono::steady_clock::now() - begun);
  }
  return answer;
}

void S3Client::learn_time(const HttpAnswer& answer) {
  if (const auto theirs = parse_time(answer.header("date"))) {
    store_ahead_s_ = *theirs / kNsPerSecondOfClock - std::time(nullptr);
  }
}

// True: the attempt's clock was wrong. Another request may have set it right meanwhile, so it is the attempt's that
// counts.
bool S3Client::correct_clock(const HttpAnswer& answer, const Attempt& with, std::int64_t tolerance_s) {
  const auto theirs = parse_time(answer.header("date"));
  if (!theirs) return false;
  const std::int64_t skew = *theirs / kNsPerSecondOfClock - std::time(nullptr);
  if (std::abs(skew - with.skew_s) <= tolerance_s) return false;
  clock_skew_s_ = skew;
  return true;
}

// An answer to HEAD has no body that could say why. Empty: this one neither.
std::string S3Client::code_behind(const Stop& stop, const Request& head) {
  Request request{.operation = "GetObject", .method = "GET", .key = head.key};
  if (head.key) {
    request.headers["range"] = "bytes=0-0";
  } else {
    request.operation = "ListObjectsV2";
    request.query = {{"list-type", "2"}, {"max-keys", "1"}};
  }
  Attempt with{.until = std::chrono::steady_clock::now() + options_.retries.total};
  auto answer = attempt(stop, request, hex(sha256({})), with);
  return answer && !answer->ok() ? read_error(*answer).code : "";
}

// True: what was wrong is right for another attempt. The error gets its code, where that had to be asked for.
bool S3Client::put_right(const Stop& stop, const Request& request, const HttpAnswer& answer, const Attempt& with,
                         S3Error& error) {
  if (request.method == "HEAD" && error.code.empty() && (error.status == kBadRequest || error.status == kForbidden)) {
    if (correct_clock(answer, with, kToleratedSkewSeconds)) return true;
    error.code = code_behind(stop, request);
  }
  if (error.code == "RequestTimeTooSkewed") return correct_clock(answer, with, 0);
  if (error.code != "ExpiredToken") return false;
  credentials_->forget(with.credentials);
  return true;
}

// Of an answer that goes on to the end of its connection nobody else says that its end is missing.
bool S3Client::is_whole(const Request& request, const HttpAnswer& answer) {
  if (!request.ending.empty()) return answer.body.find(request.ending) != std::string::npos;
  return request.proof.empty() || !xml_element(answer.body, request.proof).empty();
}

Outcome<HttpAnswer> S3Client::send(const Stop& stop, const Request& request) {
  const std::string payload_hash = request.body.sha256.empty() ? hex(sha256(request.body.data)) : request.body.sha256;
  auto retries = request.retries.value_or(options_.retries);
  retries.total += std::chrono::seconds((request.body.data.size() + request.into.size()) / kBytesPerSecond);
  object_common::Backoff backoff(retries);
  bool second_chance = true;  // for what is put right here: the clock, credentials that ended early
  bool perhaps_done = false;  // by an attempt before the last
  const auto ends = [&](Failure failure) {
    failure = in_words(request, std::move(failure));
    const bool changes = request.method == "PUT" || request.method == "POST";
    if (changes && perhaps_done && !in_doubt(failure)) failure.native = kPerhapsDoneBefore;
    return failure;
  };
  while (true) {
    Attempt with{.until = backoff.until()};
    auto answer = attempt(stop, request, payload_hash, with);
    if (answer && answer->ok() && !hides_error(*answer)) {
      if (is_whole(request, *answer)) return answer;
      answer = Failure{SP_E_IO, "the answer breaks off", 0};
    }
    if (!answer) {
      const bool lost = answer.failure().status == SP_E_IO;
      const bool harmless = !request.once || answer.failure().native == HttpClient::kNotSent;
      if (!lost || !harmless || !backoff.wait(stop)) return ends(std::move(answer.failure()));
      perhaps_done = perhaps_done || in_doubt(answer.failure());
      continue;
    }
    perhaps_done = perhaps_done || answer->sent_before;
    S3Error error = read_error(*answer);
    if (put_right(stop, request, *answer, with, error) && std::exchange(second_chance, false)) continue;
    // 503 is said before anything is done; after 500 nobody knows.
    const bool again = may_pass(error) && (!request.once || error.status == kUnavailable);
    if (!again || !backoff.wait(stop)) return ends(failure_of(error));
    perhaps_done = perhaps_done || in_doubt(failure_of(error));
  }
}

Outcome<HttpAnswer> S3Client::send_if_new(const Stop& stop, Request request) {
  request.headers["if-none-match"] = "*";
  auto answer = send(stop, request);
  if (answer || answer.failure().native != kNotImplemented) {
    if (!answer && answer.failure().status == SP_E_CONFLICT) answer.failure().status = SP_E_EXISTS;
    return answer;
  }
  request.headers.erase("if-none-match");
  return send(stop, request);
}

// Of a request's arguments stores do not say which they do not know.
Failure S3Client::in_words(const Request& request, Failure failure) const {
  std::string text = "S3 ";
  text.append(request.operation).append(" in bucket \"").append(bucket_.name).append("\" ").append(failure.message);
  const auto stored = request.headers.find("x-amz-storage-class");
  if (failure.native == kBadRequest && stored != request.headers.end()) {
    text.append(", with storage class \"").append(stored->second).append("\"");
  }
  failure.message = std::move(text);
  return failure;
}

Outcome<void> S3Client::head_bucket(const Stop& stop) {
  auto answer = send(stop, {.operation = "HeadBucket", .method = "HEAD"});
  if (!answer) return std::move(answer.failure());
  return {};
}

Outcome<ObjectInfo> S3Client::head(const Stop& stop, const std::string& key) {
  auto answer = send(stop, {.operation = "HeadObject", .method = "HEAD", .key = key});
  if (!answer) return std::move(answer.failure());
  ObjectInfo info;
  info.size = number(answer->header("content-length"));
  info.mtime_ns = parse_time(answer->header("last-modified")).value_or(0);
  info.etag = answer->header("etag");
  info.nature = nature_in(answer->headers);
  return info;
}

Outcome<void> S3Client::get(const Stop& stop, const std::string& key, const std::string& etag, std::uint64_t offset,
                            std::span<std::byte> into) {
  const std::string range = "bytes=" + std::to_string(offset) + "-" + std::to_string(offset + into.size() - 1);
  Request request{.operation = "GetObject", .method = "GET", .key = key, .headers = {{"range", range}}, .into = into};
  if (!etag.empty()) request.headers["if-match"] = etag;
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  return {};
}

Outcome<void> S3Client::put(const Stop& stop, const std::string& key, const Nature& nature, const Payload& payload,
                            bool only_new) {
  const Request request{.operation = "PutObject", .method = "PUT", .key = key, .headers = nature, .body = payload};
  auto answer = only_new ? send_if_new(stop, request) : send(stop, request);
  if (answer) return {};
  // It may have been done by an attempt whose answer got lost.
  if (in_doubt(answer.failure())) {
    auto now = head(stop, key);
    if (now && now->etag == etag_of(payload.data)) return {};
  }
  return std::move(answer.failure());
}

Outcome<void> S3Client::remove(const Stop& stop, const std::string& key) {
  auto answer = send(stop, {.operation = "DeleteObject", .method = "DELETE", .key = key});
  if (!answer) return std::move(answer.failure());
  return {};
}

Outcome<ListPage> S3Client::list(const Stop& stop, const Listing& what) {
  Request request{.operation = "ListObjectsV2",
                  .method = "GET",
                  .query = {{"list-type", "2"},
                            {"encoding-type", "url"},
                            {"prefix", what.prefix},
                            {"max-keys", std::to_string(what.max)}},
                  .ending = "</ListBucketResult>"};
  if (!what.whole_tree) request.query.emplace_back("delimiter", "/");
  if (!what.token.empty()) request.query.emplace_back("continuation-token", what.token);
  auto answer = send(stop, request);
  if (!answer) return std::move(answer.failure());
  ListPage page;
  Listed entry;
  bool more = false, encoded = false;
  const auto add = [&](bool is_prefix) {
    entry.is_prefix = is_prefix;
    page.entries.push_back(std::exchange(entry, {}));
  };
  const bool parsed = parse_xml(answer->body, [&](std::string_view path, const std::string& text) {
    if (path == "ListBucketResult/Contents/Key" || path == "ListBucketResult/CommonPrefixes/Prefix") entry.key = text;
    if (path == "ListBucketResult/Contents/Size") entry.size = number(text);
    if (path == "ListBucketResult/Contents/LastModified") entry.mtime_ns = parse_time(text).value_or(0);
    if (path == "ListBucketResult/Contents") add(false);
    if (path == "ListBucketResult/CommonPrefixes") add(true);
    if (path == "ListBucketResult/EncodingType") encoded = text == "url";
    if (path == "ListBucketResult/IsTruncated") more = text == "true";
    if (path == "ListBucketResult/NextContinuationToken") page.next = text;
  });
  if (!parsed || more == page.next.empty()) return not_understood("a listing");
  // A store that answers with more than was asked for would open the wall around a user.
  std::erase_if(page.entries, [&](Listed& found) {
    auto key = encoded ? uri_decode(found.key) : std::optional(found.key);
    if (!key || !key->starts_with(what.prefix)) return true;
    found.key = *std::move(key);
    return false;
  });
  return page;
}

}  // namespace fs_s3
