// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar shared by all plugin kinds: strings, results, and the barrier that no exception crosses. Header-only,
// C++20, standard library only. Nothing here is part of the ABI.
#pragma once

#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "../base.h"
#include "../host.h"

namespace sallyport {

inline std::string_view view(sp_str text) { return {text.ptr != nullptr ? text.ptr : "", text.len}; }
inline sp_str str(std::string_view text) { return {text.data(), text.size()}; }

// A failure: meaning for the host, text for the operator's log.
struct Failure {
  sp_status status = SP_E_INTERNAL;
  std::string message;
  int native = 0;
};

// A value or a Failure. `return Failure{...}` and `return value` both work.
template <class T>
class [[nodiscard]] Outcome {
 public:
  // NOLINTBEGIN(google-explicit-constructor)
  Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Outcome(Failure failure) : state_(std::in_place_index<1>, std::move(failure)) {}
  // NOLINTEND(google-explicit-constructor)
  explicit operator bool() const { return state_.index() == 0; }
  T& operator*() { return std::get<0>(state_); }
  T* operator->() { return &std::get<0>(state_); }
  Failure& failure() { return std::get<1>(state_); }

 private:
  std::variant<T, Failure> state_;
};

template <>
class [[nodiscard]] Outcome<void> {
 public:
  Outcome() = default;
  Outcome(Failure failure) : failure_(std::move(failure)) {}  // NOLINT(google-explicit-constructor)
  explicit operator bool() const { return !failure_; }
  Failure& failure() { return *failure_; }

 private:
  std::optional<Failure> failure_;
};

// Writes a failure where the host can read it, as far as the host's struct reaches. Returns its status.
inline sp_status report(sp_error* error, const Failure& failure) noexcept {
  const sp_status status = failure.status != SP_OK ? failure.status : SP_E_INTERNAL;
  if (error == nullptr || error->struct_size < sizeof(sp_error)) return status;
  error->status = status;
  error->native_code = failure.native;
  error->flags = 0;
  const std::size_t length =
      failure.message.size() < sizeof error->message ? failure.message.size() : sizeof error->message - 1;
  std::memcpy(error->message, failure.message.data(), length);
  error->message[length] = '\0';
  return status;
}

// Runs `body` (returning Outcome<void>) and turns whatever it throws into a status.
template <class Body>
sp_status guard(sp_error* error, Body&& body) noexcept {
  try {
    Outcome<void> outcome = std::forward<Body>(body)();
    return outcome ? SP_OK : report(error, outcome.failure());
  } catch (const std::bad_alloc&) {
    return report(error, {SP_E_INTERNAL, "out of memory", 0});
  } catch (const std::exception& e) {
    try {
      return report(error, {SP_E_INTERNAL, e.what(), 0});
    } catch (...) {
      return SP_E_INTERNAL;
    }
  } catch (...) {
    return report(error, {SP_E_INTERNAL, "unknown exception", 0});
  }
}

// Hands a text to a sink in one part.
inline Outcome<void> deliver(const sp_sink* sink, std::string_view text) {
  const sp_status status = sink->write(sink->ctx, {text.data(), text.size()});
  if (status != SP_OK) return Failure{status, "the host refused the result"};
  return {};
}

// The host's log as an object; copy freely.
class Log {
 public:
  Log() = default;
  Log(const sp_host* host, std::string component) : host_(host), component_(std::move(component)) {}
  void debug(std::string_view text) const { write(SP_LOG_DEBUG, text); }
  void info(std::string_view text) const { write(SP_LOG_INFO, text); }
  void warn(std::string_view text) const { write(SP_LOG_WARN, text); }
  void error(std::string_view text) const { write(SP_LOG_ERROR, text); }

 private:
  void write(std::uint32_t level, std::string_view text) const {
    if (host_ != nullptr) host_->log(host_, level, str(component_), str(text));
  }
  const sp_host* host_ = nullptr;
  std::string component_;
};

}  // namespace sallyport
