// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar over service.h: write one class, get the C table. Header-only, C++20.
//
//   class MyService : public sallyport::Service<MyService>   create (see plugin.hpp), start, stop [, reload]
//
// Outcome<void> start(); Outcome<void> stop(const sp_op&); Outcome<void> reload(std::string_view config_json). Without
// reload the slot stays NULL. Exceptions become statuses. The destructor is destroy; every thread is joined when stop
// succeeds, and after SP_E_TIMED_OUT (see service.h) nothing is destroyed.
#pragma once

#include <string_view>

#include "../service.h"
#include "plugin.hpp"

namespace sallyport {
namespace detail {

template <class T>
struct ServiceThunks {
  static T& self(sp_service* service) { return *static_cast<T*>(service); }
  static void SP_CALL destroy(sp_service* service) noexcept { delete &self(service); }
  static sp_status SP_CALL start(sp_service* service, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(service).start(); });
  }
  static sp_status SP_CALL reload(sp_service* service, sp_str config, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(service).reload(view(config)); });
  }
  static sp_status SP_CALL stop(sp_service* service, const sp_op* op, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(service).stop(*op); });
  }
  static const void* SP_CALL extension(sp_service*, const char*) noexcept { return nullptr; }
  static constexpr sp_service_ops kOps = [] {
    sp_service_ops ops{sizeof(sp_service_ops), 0, &destroy, &start, nullptr, &stop, &extension};
    if constexpr (requires { &T::reload; }) ops.reload = &reload;
    return ops;
  }();
};

}  // namespace detail

// Not copyable: its address is its identity.
template <class T>
class Service : public sp_service {
 public:
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

 protected:
  Service() : sp_service{&detail::ServiceThunks<T>::kOps} {}
  ~Service() = default;
};

template <class T>
inline constexpr sp_factory kServiceFactory = make_factory<T, sp_service>(SP_KIND_SERVICE, SP_SERVICE_ABI);

}  // namespace sallyport
