// SPDX-License-Identifier: Apache-2.0
//
// The checks between "a library with the right symbol" and "a plugin the host may call": sizes, versions, names,
// schemas. Runs on the thread that loads. Must not know where the table came from.
#include "host/plugin/plugin_table.h"

#include <sallyport/version.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "host/plugin/error.h"

namespace host::plugin {

using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr std::size_t kMaxFactories = 64;  // beyond it the list most likely has no end
constexpr std::uint32_t kFirstStable = 0x10000;
constexpr const char* kNoSettings = R"({"type": "object", "additionalProperties": false})";

// Members beyond what the plugin was compiled with stay zero.
template <class Table>
Table copy_known(const Table* from) {
  Table to{};
  std::memcpy(&to, from, std::min<std::size_t>(from->struct_size, sizeof to));
  return to;
}

std::string version_words(std::uint32_t number) {
  if (number < kFirstStable) return "draft " + std::to_string(number);
  return std::to_string(number >> 16) + "." + std::to_string(number & 0xffff);
}

Error mismatch(const std::string& found, const std::string& wanted) {
  return {Status::kInvalid, "found " + found + ", wanted " + wanted};
}

// The kind's ABI number in this host; NULL for kinds it does not know.
const std::uint32_t* host_abi(std::uint32_t kind) {
  static constexpr std::uint32_t kNumbers[] = {SP_STORAGE_ABI, SP_PROVIDER_ABI, SP_AUTH_ABI, SP_NOTIFIER_ABI,
                                               SP_SERVICE_ABI};
  return kind >= SP_KIND_STORAGE && kind <= SP_KIND_SERVICE ? &kNumbers[kind - SP_KIND_STORAGE] : nullptr;
}

Result<void> check_head(const sp_plugin* raw, std::string_view stem) {
  if (raw == nullptr) return mismatch("NULL from " SP_PLUGIN_SYMBOL, "a plugin description");
  constexpr auto kAbiEnd = offsetof(sp_plugin, abi) + sizeof(raw->abi);
  if (raw->struct_size < kAbiEnd)
    return mismatch("a description of " + std::to_string(raw->struct_size) + " bytes", std::to_string(sizeof *raw));
  if (raw->abi != SP_ABI)
    return mismatch("a plugin built for plugin ABI " + version_words(raw->abi),
                    version_words(SP_ABI) + ", the one of this host");
  if (raw->struct_size < sizeof *raw) {
    return mismatch("a description of " + std::to_string(raw->struct_size) + " bytes",
                    std::to_string(sizeof *raw) + " (sp_plugin)");
  }
  if (raw->min_host_abi > SP_ABI)
    return mismatch("a plugin that needs a host of ABI " + version_words(raw->min_host_abi),
                    version_words(SP_ABI) + ", the one of this host");
  if (to_view(raw->name) != stem)
    return mismatch("a plugin that calls itself \"" + std::string(to_view(raw->name)) + "\"",
                    "\"" + std::string(stem) + "\" as its file name says");
  if (raw->factories == nullptr || raw->factories[0] == nullptr)
    return mismatch("a plugin that offers nothing", "at least one factory");
  return core::ok();
}

Result<Schema> parse_schema(const char* text, const std::string& type, const char* which) {
  auto schema = Schema::parse(text != nullptr ? text : kNoSettings);
  if (!schema)
    return Error(Status::kInvalid, "factory \"" + type + "\": found a broken " + which + ": " + schema.error().text);
  return schema;
}

Result<LoadedFactory> read_factory(const sp_factory* raw) {
  if (raw->struct_size < sizeof *raw) {
    return mismatch("a factory of " + std::to_string(raw->struct_size) + " bytes",
                    std::to_string(sizeof *raw) + " (sp_factory)");
  }
  const auto factory = copy_known(raw);
  const auto* abi = host_abi(factory.kind);
  if (abi == nullptr)
    return mismatch("a factory of unknown kind " + std::to_string(factory.kind), "1 (storage) to 5 (service)");
  const std::string kind(kind_name(static_cast<Kind>(factory.kind)));
  const std::string type(to_view(factory.type));
  if (factory.kind_abi != *abi)
    return mismatch("a factory \"" + type + "\" for " + kind + " ABI " + version_words(factory.kind_abi),
                    version_words(*abi) + ", the one of this host");
  if (type.empty()) return mismatch("a " + kind + " factory without a type", "the word used in configuration");
  if (factory.create == nullptr)
    return mismatch("a " + kind + " factory \"" + type + "\" without create", "a function");
  auto config = parse_schema(factory.config_schema, type, "config_schema");
  if (!config) return config.error();
  auto user = parse_schema(factory.user_schema, type, "user_schema");
  if (!user) return user.error();
  return LoadedFactory{factory, std::move(*config), std::move(*user)};
}

}  // namespace

Result<std::unique_ptr<LoadedPlugin>> read_table(const sp_plugin* raw, std::string_view stem) {
  if (auto head = check_head(raw, stem); !head) return head.error();
  auto plugin = std::make_unique<LoadedPlugin>();
  plugin->table = copy_known(raw);
  auto& info = plugin->info;
  info.id = to_view(raw->id);
  info.name = to_view(raw->name);
  info.version = to_view(raw->version);
  info.vendor = to_view(raw->vendor);
  for (std::size_t i = 0; raw->factories[i] != nullptr; ++i) {
    if (i == kMaxFactories)
      return mismatch("a list of factories without end", "at most " + std::to_string(kMaxFactories));
    auto factory = read_factory(raw->factories[i]);
    if (!factory) return factory.error();
    const auto& f = factory->raw;
    info.factories.push_back({static_cast<Kind>(f.kind), std::string(to_view(f.type)), std::string(to_view(f.summary)),
                              std::string(to_view(f.config_schema)), std::string(to_view(f.user_schema))});
    plugin->factories.push_back(std::move(*factory));
  }
  return plugin;
}

}  // namespace host::plugin
