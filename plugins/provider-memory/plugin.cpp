// SPDX-License-Identifier: Apache-2.0
//
// The plugin: a Store filled from the dump file, if there is one. prepare runs on the start-up thread, the rest on
// workers.
#include <sallyport/version.h>

#include <nlohmann/json.hpp>
#include <sallyport/cpp/provider.hpp>

#include "dump_file.h"
#include "store.h"

namespace provider_memory {
namespace {

class MemoryProvider final : public sallyport::Provider<MemoryProvider> {
 public:
  static constexpr const char* kType = "provider-memory";
  static constexpr const char* kSummary = "accounts in memory, from a dump file or empty";
  // Other members of data_provider belong to other drivers and are let through.
  static constexpr const char* kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": true,
  "properties": {
    "name": {"type": "string", "default": "", "description": "absolute path of a dump to load at start and on SIGHUP; empty: start without accounts"}
  }
})json";

  static Outcome<std::unique_ptr<MemoryProvider>> create(const sp_host& host, std::string_view config_json) {
    const auto json = nlohmann::json::parse(config_json);
    return std::make_unique<MemoryProvider>(json.value("name", ""), sallyport::Log(&host, "memory"));
  }

  MemoryProvider(std::string dump_path, sallyport::Log log) : dump_path_(std::move(dump_path)), log_(std::move(log)) {}

  // There is nothing to create or to migrate: all modes do the same.
  Outcome<bool> prepare(std::string_view collections_json, std::uint32_t mode) {
    if (mode > SP_PREPARE_LOOK) return Failure{SP_E_INVALID, "unknown prepare mode", 0};
    auto schema = provider_common::parse_schema(collections_json);
    if (!schema) return schema.failure();
    store_ = std::make_unique<Store>(std::move(*schema));
    if (dump_path_.empty()) return false;
    if (auto loaded = reload(); !loaded) return loaded.failure();
    return false;
  }

  Outcome<void> reload() {
    if (dump_path_.empty()) return Failure{SP_E_UNSUPPORTED, "there is no file to load", 0};
    auto dump = read_dump(dump_path_);
    if (!dump) return dump.failure();
    auto left_out = store_->replace_all(*dump);
    if (!left_out) {
      return Failure{left_out.failure().status, "dump file " + dump_path_ + ": " + left_out.failure().message, 0};
    }
    // Dumps of other versions have more, but a mistyped filter must not go unnoticed.
    std::string names;
    for (const auto& name : *left_out) names += (names.empty() ? "" : ", ") + name;
    if (!names.empty()) log_.warn("dump file " + dump_path_ + ": members that mean nothing were left out: " + names);
    return {};
  }

  Outcome<void> check(const sp_op&) { return {}; }
  Outcome<void> get(const sp_op&, std::string_view collection, std::string_view key, const sallyport::RecordSink& out) {
    return store_->get(collection, key, out);
  }
  Outcome<void> put(const sp_op&, std::string_view collection, std::string_view key, std::uint32_t mode,
                    std::string_view record) {
    return store_->put(collection, key, mode, record);
  }
  Outcome<void> remove(const sp_op&, std::string_view collection, std::string_view key) {
    return store_->remove(collection, key);
  }
  Outcome<void> list(const sp_op&, std::string_view query, const sallyport::RecordSink& out) {
    return store_->list(query, out);
  }
  Outcome<void> add(const sp_op&, std::string_view collection, std::string_view key, std::span<const sp_delta> deltas) {
    return store_->add(collection, key, deltas);
  }

 private:
  const std::string dump_path_;
  const sallyport::Log log_;
  std::unique_ptr<Store> store_;  // set by prepare, before anything else is called
};

}  // namespace
}  // namespace provider_memory

SALLYPORT_PLUGIN("org.sallyport.provider-memory", "provider-memory", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kProviderFactory<provider_memory::MemoryProvider>)
