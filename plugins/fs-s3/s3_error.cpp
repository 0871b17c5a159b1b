// SPDX-License-Identifier: Apache-2.0
//
// The texts are for the operator's log. They hold no key and no header of ours, so no secret either.
#include "s3_error.h"

#include <algorithm>
#include <array>

#include "xml.h"

namespace fs_s3 {
namespace {

struct Meaning {
  std::string_view code;
  sp_status status;
};
// Where the code says more than the status of the answer.
constexpr std::array kMeanings{
    Meaning{"NoSuchKey", SP_E_NOT_FOUND},       Meaning{"NoSuchUpload", SP_E_NOT_FOUND},
    Meaning{"NoSuchBucket", SP_E_IO},           Meaning{"QuotaExceeded", SP_E_NO_SPACE},
    Meaning{"EntityTooLarge", SP_E_NO_SPACE},   Meaning{"KeyTooLongError", SP_E_NAME_TOO_LONG},
    Meaning{"InvalidObjectName", SP_E_INVALID}, Meaning{"PreconditionFailed", SP_E_CONFLICT},
    Meaning{"InvalidRange", SP_E_CONFLICT},     Meaning{"ExpiredToken", SP_E_DENIED},
    Meaning{"InvalidToken", SP_E_DENIED},
};

sp_status meaning_of(const S3Error& error) {
  const auto* known = std::ranges::find(kMeanings, error.code, &Meaning::code);
  if (known != kMeanings.end()) return known->status;
  switch (error.status) {
    case 401:
    case 403: return SP_E_DENIED;
    case 404: return SP_E_NOT_FOUND;
    case 409:
    case 412:
    case 416: return SP_E_CONFLICT;
    default: return SP_E_IO;
  }
}

}  // namespace

S3Error read_error(const HttpAnswer& answer) {
  S3Error error;
  error.status = answer.status;
  error.request_id = answer.header("x-amz-request-id");
  (void)parse_xml(answer.body, [&](std::string_view path, const std::string& text) {
    if (path == "Error/Code") error.code = text;
    if (path == "Error/Message") error.message = text;
    if (path == "Error/RequestId" && error.request_id.empty()) error.request_id = text;
  });
  return error;
}

bool hides_error(const HttpAnswer& answer) {
  return answer.ok() &&
         (answer.body.find("<Error>") != std::string::npos || answer.body.find("<Error ") != std::string::npos);
}

bool in_doubt(const Failure& failure) {
  constexpr int kServersFault = 500;
  if (failure.native == kPerhapsDoneBefore) return true;
  if (failure.status != SP_E_IO || failure.native == kUnavailable) return false;
  return failure.native == 0 || failure.native >= kServersFault;
}

bool may_pass(const S3Error& error) {
  static constexpr std::array<std::string_view, 5> kPassing{"SlowDown", "RequestTimeout", "InternalError",
                                                            "ServiceUnavailable", "OperationAborted"};
  return error.status == 429 || error.status == 500 || (error.status >= 502 && error.status <= 504) ||
         std::ranges::find(kPassing, error.code) != kPassing.end();
}

Failure failure_of(const S3Error& error) {
  std::string text = "is answered " + std::to_string(error.status);
  if (!error.code.empty()) text.append(" ").append(error.code);
  if (!error.request_id.empty()) text.append(" (request ").append(error.request_id).append(")");
  return {meaning_of(error), std::move(text), error.status};
}

}  // namespace fs_s3
