// SPDX-License-Identifier: Apache-2.0
//
// C++ sugar over plugin.h: describes a class as a factory and a set of factories as the plugin. Header-only, C++20.
//
// A class T that can be made from configuration has
//   static constexpr const char* kType, *kSummary, *kConfigSchema;       and, for storages, maybe *kUserSchema
//   static Outcome<std::unique_ptr<T>> create(const sp_host&, std::string_view config_json);
// and derives, by way of the base class of its kind (storage.hpp and its sisters), from the C object of that kind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "../plugin.h"
#include "base.hpp"

namespace sallyport {

// Should this operation be given up, because its session is gone or its deadline has passed?
inline bool cancelled(const sp_host& host, const sp_op& op) { return host.cancelled(&host, &op) != 0; }

// Copies a table struct to the caller as far as the caller's struct reaches.
template <class Table>
void fill(Table* out, const Table& value) noexcept {
  const std::uint32_t size = std::min<std::uint32_t>(out->struct_size, sizeof(Table));
  if (size <= sizeof out->struct_size) return;
  constexpr std::size_t kSkip = sizeof out->struct_size;
  std::memcpy(reinterpret_cast<char*>(out) + kSkip, reinterpret_cast<const char*>(&value) + kSkip, size - kSkip);
}

// A complete copy of a table struct that the caller may have compiled shorter; what it lacks is zero.
template <class Table>
Table complete(const Table* in) noexcept {
  Table table{};
  std::memcpy(&table, in, std::min<std::size_t>(in->struct_size, sizeof(Table)));
  table.struct_size = sizeof(Table);
  return table;
}

// Moves the value of an outcome to where the caller wants it; passes a failure on.
template <class T, class Take>
Outcome<void> hand_over(Outcome<T> outcome, Take&& take) {
  if (!outcome) return std::move(outcome.failure());
  std::forward<Take>(take)(*outcome);
  return {};
}

namespace detail {

template <class T, class Object>
sp_status SP_CALL create_object(const sp_host* host, sp_str config, void** out, sp_error* error) noexcept {
  return guard(error, [&]() -> Outcome<void> {
    // The C side casts the void pointer straight to Object, so the conversion must happen here.
    return hand_over(T::create(*host, view(config)), [&](auto& made) { *out = static_cast<Object*>(made.release()); });
  });
}

template <class T>
consteval const char* user_schema_of() {
  if constexpr (requires { T::kUserSchema; }) {
    return T::kUserSchema;
  } else {
    return nullptr;
  }
}

}  // namespace detail

// The factory of class T; Object is the C object of its kind (sp_storage, ...). Each kind's header names it shorter.
template <class T, class Object>
consteval sp_factory make_factory(std::uint32_t kind, std::uint32_t kind_abi) {
  sp_factory factory{};
  factory.struct_size = sizeof(sp_factory);
  factory.kind = kind;
  factory.kind_abi = kind_abi;
  factory.type = T::kType;
  factory.summary = T::kSummary;
  factory.config_schema = T::kConfigSchema;
  factory.user_schema = detail::user_schema_of<T>();
  factory.create = &detail::create_object<T, Object>;
  return factory;
}

template <const sp_factory*... Factories>
inline constexpr const sp_factory* kFactoryList[] = {Factories..., nullptr};

template <const sp_factory*... Factories>
consteval sp_plugin make_plugin(const char* id, const char* name, const char* version, const char* vendor) {
  sp_plugin plugin{};
  plugin.struct_size = sizeof(sp_plugin);
  plugin.abi = SP_ABI;
  plugin.min_host_abi = SP_ABI;
  plugin.id = id;
  plugin.name = name;
  plugin.version = version;
  plugin.vendor = vendor;
  plugin.factories = kFactoryList<Factories...>;
  return plugin;
}

}  // namespace sallyport

// Defines the one exported symbol. The rest of the arguments are addresses of factories:
//   SALLYPORT_PLUGIN("com.example.box", "box", "1.0", "Example", &sallyport::kStorageFactory<Box>)
#define SALLYPORT_PLUGIN(ID, NAME, VERSION, VENDOR, ...)                                                   \
  extern "C" SP_EXPORT const sp_plugin* SP_CALL sp_plugin_v1(void) SP_NOEXCEPT {                           \
    static constexpr sp_plugin kPlugin = ::sallyport::make_plugin<__VA_ARGS__>(ID, NAME, VERSION, VENDOR); \
    return &kPlugin;                                                                                       \
  }
