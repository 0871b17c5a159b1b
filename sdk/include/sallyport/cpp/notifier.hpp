// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar over notifier.h: write one class, get the C table. Header-only, C++20.
//
//   class MyNotifier : public sallyport::Notifier<MyNotifier>   create (see plugin.hpp), wants, notify [, decide]
//
// bool wants(std::string_view kind) answers once per kind and must not throw; notify and decide take (op, event_json)
// and return Outcome<void>; decide refuses with SP_E_DENIED. Without decide the slot stays NULL. Exceptions become
// statuses. The destructor is destroy.
#pragma once

#include <string_view>

#include "../notifier.h"
#include "plugin.hpp"

namespace sallyport {
namespace detail {

template <class T>
struct NotifierThunks {
  static T& self(sp_notifier* notifier) { return *static_cast<T*>(notifier); }
  static void SP_CALL destroy(sp_notifier* notifier) noexcept { delete &self(notifier); }
  static uint32_t SP_CALL wants(sp_notifier* notifier, sp_str kind) noexcept {
    return self(notifier).wants(view(kind)) ? 1 : 0;
  }
  static sp_status SP_CALL notify(sp_notifier* notifier, const sp_op* op, sp_str event, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(notifier).notify(*op, view(event)); });
  }
  static sp_status SP_CALL decide(sp_notifier* notifier, const sp_op* op, sp_str event, sp_error* error) noexcept {
    return guard(error, [&]() -> Outcome<void> { return self(notifier).decide(*op, view(event)); });
  }
  static const void* SP_CALL extension(sp_notifier*, const char*) noexcept { return nullptr; }
  static constexpr sp_notifier_ops kOps = [] {
    sp_notifier_ops ops{sizeof(sp_notifier_ops), 0, &destroy, &wants, &notify, nullptr, &extension};
    if constexpr (requires { &T::decide; }) ops.decide = &decide;
    return ops;
  }();
};

}  // namespace detail

// Not copyable: its address is its identity.
template <class T>
class Notifier : public sp_notifier {
 public:
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

 protected:
  Notifier() : sp_notifier{&detail::NotifierThunks<T>::kOps} {}
  ~Notifier() = default;
};

template <class T>
inline constexpr sp_factory kNotifierFactory = make_factory<T, sp_notifier>(SP_KIND_NOTIFIER, SP_NOTIFIER_ABI);

}  // namespace sallyport
