// SPDX-License-Identifier: Apache-2.0
//
// Version, plugins, health and counters as JSON. Threads of services.
#include "host/admin/host_info.h"

#include <nlohmann/json.hpp>

#include "host/admin/metrics_json.h"
#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/plugin/capability_names.h"
#include "host/users/password.h"

namespace host::admin {
namespace {

using core::Result;
using Json = nlohmann::ordered_json;

std::string as_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Schemas were checked when the plugin was loaded; "" means that there is none.
Json schema(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json::object() : json;
}

std::string member(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::int64_t number(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

// Of a storage as somebody's files were last mounted on it; null: nobody knows yet.
Json capabilities(const plugin::Registry& registry, std::string_view name) {
  for (const auto& storage : registry.storages()) {
    const auto caps = storage->name() == name ? storage->last_caps() : std::nullopt;
    if (caps) return plugin::capability_names(*caps);
  }
  return nullptr;
}

}  // namespace

Result<std::string> HostInfo::version() {
  return as_text(
      {{"version", version_.version}, {"build_date", version_.build_date}, {"commit_hash", version_.commit_hash}});
}

Result<std::string> HostInfo::plugins() {
  Json all = Json::array();
  for (const auto* info : registry_.loaded()) {
    Json provides = Json::array();
    for (const auto& factory : info->factories) {
      provides.push_back({{"kind", plugin::kind_name(factory.kind)},
                          {"type", factory.type},
                          {"summary", factory.summary},
                          {"config_schema", schema(factory.config_schema)},
                          {"user_schema", schema(factory.user_schema)}});
      auto known = factory.kind == plugin::Kind::kStorage ? capabilities(registry_, info->name) : Json();
      if (!known.is_null()) provides.back()["capabilities"] = std::move(known);
    }
    all.push_back({{"name", info->name},
                   {"id", info->id},
                   {"version", info->version},
                   {"vendor", info->vendor},
                   {"provides", std::move(provides)}});
  }
  return as_text(all);
}

Result<void> HostInfo::provider_status() { return store_.check(); }

// Asked of the provider now and then only: monitoring must not load it.
bool HostInfo::provider_available() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (checked_at_.time_since_epoch().count() != 0 && now - checked_at_ < core::limits::kProviderFresh)
      return available_;
    checked_at_ = now;  // others get the last verdict meanwhile
  }
  const bool available = store_.check().has_value();
  const std::lock_guard lock(mutex_);
  return available_ = available;
}

Result<std::string> HostInfo::metrics() {
  return as_text(metrics_to_json(provider_available(), sessions_, registry_, jobs_.running()));
}

bool HostInfo::check_password(std::string_view hash, std::string_view password) {
  return users::verify_password(hash, password);
}

void HostInfo::log_http(std::string_view line_json) {
  const Json json = Json::parse(line_json, nullptr, false);
  if (!json.is_object()) return;
  const auto sender = member(json, "sender"), method = member(json, "method"), proto = member(json, "proto"),
             remote = member(json, "remote_addr"), id = member(json, "request_id"), uri = member(json, "uri"),
             agent = member(json, "user_agent");
  core::log::http({.sender = sender,
                   .method = method,
                   .proto = proto,
                   .remote_addr = remote,
                   .request_id = id,
                   .uri = uri,
                   .user_agent = agent,
                   .resp_status = number(json, "resp_status"),
                   .resp_size = number(json, "resp_size"),
                   .elapsed_ms = number(json, "elapsed_ms")});
}

}  // namespace host::admin
