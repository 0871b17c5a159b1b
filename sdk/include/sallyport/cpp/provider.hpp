// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar over provider.h: write one class, get the C table. Header-only, C++20.
//
//   class MyProvider : public sallyport::Provider<MyProvider>   create (see plugin.hpp), prepare, check, get, put,
//   remove,
//                                                               list, add [, reload]
//
// Methods return Outcome<...>; their exact shapes are the calls below. Without reload the slot stays NULL. Exceptions
// become statuses. The destructor is destroy.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "../provider.h"
#include "plugin.hpp"

namespace sallyport {

// Where get and list put records, one JSON object at a time.
class RecordSink {
 public:
  explicit RecordSink(const sp_record_sink* sink) : sink_(sink) {}
  Outcome<void> add(std::string_view record_json) const {
    const sp_status status = sink_->add(sink_->ctx, str(record_json));
    if (status != SP_OK) return Failure{status, "the host refused the record", 0};
    return {};
  }

 private:
  const sp_record_sink* sink_;
};

namespace detail {

template <class T>
struct ProviderThunks {
  static T& self(sp_provider* provider) { return *static_cast<T*>(provider); }
  static void SP_CALL destroy(sp_provider* provider) noexcept { delete &self(provider); }
  // T::prepare(collections_json, mode) answers true when something was created or migrated.
  static sp_status SP_CALL prepare(sp_provider* provider, sp_str collections, uint32_t mode, uint32_t* changed,
                                   sp_error* error) noexcept {
    return guard(error, [&] {
      return hand_over<bool>(self(provider).prepare(view(collections), mode),
                             [&](bool yes) { *changed = yes ? 1 : 0; });
    });
  }
  static sp_status SP_CALL check(sp_provider* provider, const sp_op* op, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(provider).check(*op); });
  }
  static sp_status SP_CALL get(sp_provider* provider, const sp_op* op, sp_str collection, sp_str key,
                               const sp_record_sink* sink, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return self(provider).get(*op, view(collection), view(key), RecordSink(sink));
    });
  }
  static sp_status SP_CALL put(sp_provider* provider, const sp_op* op, sp_str collection, sp_str key, uint32_t mode,
                               sp_str record, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return self(provider).put(*op, view(collection), view(key), mode, view(record));
    });
  }
  static sp_status SP_CALL remove(sp_provider* provider, const sp_op* op, sp_str collection, sp_str key,
                                  sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(provider).remove(*op, view(collection), view(key)); });
  }
  static sp_status SP_CALL list(sp_provider* provider, const sp_op* op, sp_str query, const sp_record_sink* sink,
                                sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(provider).list(*op, view(query), RecordSink(sink)); });
  }
  static sp_status SP_CALL add(sp_provider* provider, const sp_op* op, sp_str collection, sp_str key,
                               const sp_delta* deltas, size_t count, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> {
      return self(provider).add(*op, view(collection), view(key), std::span<const sp_delta>(deltas, count));
    });
  }
  static sp_status SP_CALL reload(sp_provider* provider, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(provider).reload(); });
  }
  static const void* SP_CALL extension(sp_provider*, const char*) noexcept { return nullptr; }
  static constexpr sp_provider_ops kOps = [] {
    sp_provider_ops ops{
        sizeof(sp_provider_ops), 0, &destroy, &prepare, &check, &get, &put, &remove, &list, &add, nullptr, &extension};
    if constexpr (requires { &T::reload; }) ops.reload = &reload;
    return ops;
  }();
};

}  // namespace detail

// Not copyable: its address is its identity.
template <class T>
class Provider : public sp_provider {
 public:
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

 protected:
  Provider() : sp_provider{&detail::ProviderThunks<T>::kOps} {}
  ~Provider() = default;
};

template <class T>
inline constexpr sp_factory kProviderFactory = make_factory<T, sp_provider>(SP_KIND_PROVIDER, SP_PROVIDER_ABI);

}  // namespace sallyport
