// SPDX-License-Identifier: Apache-2.0
//
// Answers that are no success: what they mean, whether to try again, and how to say it.
#pragma once

#include <string>
#include <string_view>

#include "http_client.h"

namespace fs_s3 {

struct S3Error {
  int status = 0;
  std::string code, message, request_id;  // code is empty where the answer has no body
};

S3Error read_error(const HttpAnswer& answer);
// An answer that says it failed although its status is 200: copies and completions may do so after a while.
bool hides_error(const HttpAnswer& answer);
// The number of a failure whose last attempt says what it says, and one before it may have done it all the same.
inline constexpr int kPerhapsDoneBefore = -2;
inline constexpr int kUnavailable = 503;
// Of a failure: the store may have done what was asked all the same. Not with 503, which is said before that.
bool in_doubt(const Failure& failure);
bool may_pass(const S3Error& error);  // the same request may be accepted a little later
Failure failure_of(const S3Error& error);

}  // namespace fs_s3
