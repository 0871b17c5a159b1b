// SPDX-License-Identifier: Apache-2.0
//
// Drives a provider plugin through its C table, as the host does. For tests.
#pragma once

#include <sallyport/plugin.h>
#include <sallyport/provider.h>

#include <nlohmann/json.hpp>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace provider_common::testing {

using Json = nlohmann::ordered_json;

// A shortened users collection with every kind of column.
inline Json people(int version = 2) {
  return Json::parse(R"({"version": )" + std::to_string(version) + R"(, "collections": [
    {"name": "users", "table": "people", "key": "username", "columns": [
      {"name": "id", "type": "int64", "auto": true},
      {"name": "username", "type": "text", "size": 255, "unique": true},
      {"name": "password", "type": "text", "size": 255, "nullable": true},
      {"name": "status", "type": "int64", "bits": 32, "default": 1},
      {"name": "used", "type": "int64", "counter": true, "default": 0},
      {"name": "files", "type": "int64", "counter": true, "default": 0},
      {"name": "permissions", "type": "json"},
      {"name": "folders", "type": "json", "nullable": true, "since": 2}]}]})");
}

class Rig {
 public:
  explicit Rig(const Json& config) {
    host_.struct_size = sizeof host_;
    host_.abi = SP_ABI;
    host_.ctx = this;
    host_.log = [](const sp_host* host, std::uint32_t, sp_str, sp_str text) noexcept {
      static_cast<Rig*>(host->ctx)->log_lines.emplace_back(sallyport::view(text));
    };
    error_.struct_size = sizeof error_;
    void* object = nullptr;
    const std::string text = config.dump();
    created = sp_plugin_v1()->factories[0]->create(&host_, sallyport::str(text), &object, &error_);
    provider_ = static_cast<sp_provider*>(object);
  }
  ~Rig() {
    if (provider_ != nullptr) provider_->ops->destroy(provider_);
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  sp_status prepare(std::uint32_t mode, const Json& collections = people()) {
    const std::string text = collections.dump();
    changed = 77;
    return provider_->ops->prepare(provider_, sallyport::str(text), mode, &changed, clear());
  }
  sp_status check() { return provider_->ops->check(provider_, &op_, clear()); }
  sp_status insert(std::string_view key, const Json& record) { return put(key, SP_PUT_INSERT, record); }
  sp_status update(std::string_view key, const Json& record) { return put(key, SP_PUT_UPDATE, record); }
  sp_status remove(std::string_view key) {
    return provider_->ops->remove(provider_, &op_, sallyport::str("users"), sallyport::str(key), clear());
  }
  sp_status get(std::string_view key, Json& out) {
    std::vector<Json> records;
    const sp_record_sink sink = sink_into(records);
    sp_error error{};
    error.struct_size = sizeof error;
    const sp_status status =
        provider_->ops->get(provider_, &op_, sallyport::str("users"), sallyport::str(key), &sink, &error);
    if (status != SP_OK) message_of(error);
    if (!records.empty()) out = records.front();
    return status;
  }
  // The records, or one JSON string with the status.
  std::vector<Json> list(Json query = Json::object()) {
    query["collection"] = "users";
    std::vector<Json> records;
    const sp_record_sink sink = sink_into(records);
    const std::string text = query.dump();
    const sp_status status = provider_->ops->list(provider_, &op_, sallyport::str(text), &sink, clear());
    if (status != SP_OK) return {Json("status " + std::to_string(status))};
    return records;
  }
  std::vector<std::string> names(const Json& query = Json::object()) {
    std::vector<std::string> out;
    for (const auto& record : list(query))
      out.push_back(record.is_object() ? record.value("username", "?") : record.dump());
    return out;
  }
  sp_status add(std::string_view key, const std::vector<std::pair<std::string, std::int64_t>>& deltas) {
    std::vector<sp_delta> raw;
    for (const auto& [name, amount] : deltas) raw.push_back({sallyport::str(name), amount});
    sp_error error{};  // own: this is called from several threads at once
    error.struct_size = sizeof error;
    return provider_->ops->add(provider_, &op_, sallyport::str("users"), sallyport::str(key), raw.data(), raw.size(),
                               &error);
  }
  sp_status reload() { return provider_->ops->reload(provider_, clear()); }
  sp_provider* raw() { return provider_; }
  std::string message() const { return error_.message; }

  sp_status created = SP_OK;
  std::uint32_t changed = 0;
  std::vector<std::string> log_lines;

 private:
  sp_status put(std::string_view key, std::uint32_t mode, const Json& record) {
    const std::string text = record.dump();
    return provider_->ops->put(provider_, &op_, sallyport::str("users"), sallyport::str(key), mode,
                               sallyport::str(text), clear());
  }
  sp_error* clear() {
    error_.message[0] = '\0';
    return &error_;
  }
  void message_of(const sp_error& error) { error_ = error; }
  static sp_record_sink sink_into(std::vector<Json>& records) {
    return {&records, [](void* ctx, sp_str record) noexcept -> sp_status {
              static_cast<std::vector<Json>*>(ctx)->push_back(Json::parse(sallyport::view(record), nullptr, false));
              return SP_OK;
            }};
  }

  sp_host host_{};
  sp_op op_{sizeof(sp_op), 0, 0, 0, 0};
  sp_error error_{};
  sp_provider* provider_ = nullptr;
};

}  // namespace provider_common::testing
