// SPDX-License-Identifier: Apache-2.0
//
// Errors as values. Result<T> holds a T or an Error; Error carries a meaning for the program, the store's own number
// and a text for the operator. The text may name server paths and must never be sent to a client.
#pragma once

#include <boost/system/result.hpp>
#include <cstdlib>
#include <string>
#include <utility>

#include "host/core/status.h"

namespace host::core {

struct [[nodiscard]] Error {
  Status status = Status::kInternal;
  int native = 0;    // errno or the store's own number; 0 when there is none
  std::string text;  // for the log

  Error() = default;
  // Not explicit: `return Status::kX` reads best.
  Error(Status status_in,  // NOLINT(google-explicit-constructor)
        std::string text_in = {}, int native_in = 0)
      : status(status_in), native(native_in), text(std::move(text_in)) {}

  // The text, or the status in words when there is none.
  std::string message() const { return text.empty() ? std::string(describe(status)) : text; }
};

// value() on an error is a defect of the caller: nothing on the data path throws.
[[noreturn]] inline void throw_exception_from_error(const Error&, const boost::source_location&) { std::abort(); }

template <class T>
using Result = boost::system::result<T, Error>;

inline Result<void> ok() { return {}; }

}  // namespace host::core
