// SPDX-License-Identifier: Apache-2.0
//
// Version, plugins, health and counters as JSON. Threads of services.
#include "host/admin/host_info.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

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

// The members of an access line that are known and of the right type, without a tree of them: each request has a line.
class AccessLine final : public nlohmann::json_sax<Json> {
 public:
  std::string sender, method, proto, remote, id, uri, agent;
  std::int64_t status = 0, size = 0, elapsed_ms = 0;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override { return take(value); }
  bool number_unsigned(number_unsigned_t value) override { return take(static_cast<std::int64_t>(value)); }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t& value) override {
    if (text_ != nullptr && depth_ == 1) *text_ = std::move(value);
    return depth_ > 0;  // a line is an object
  }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ > 0; }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return depth_++ > 0; }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    text_ = find(texts_, name);
    number_ = find(numbers_, name);
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

 private:
  template <class Members>
  static auto find(const Members& members, std::string_view name) -> decltype(members.front().second) {
    for (const auto& [known, where] : members) {
      if (known == name) return where;
    }
    return nullptr;
  }
  bool take(std::int64_t value) {
    if (number_ != nullptr && depth_ == 1) *number_ = value;
    return depth_ > 0;
  }
  bool leave() {
    --depth_;
    text_ = nullptr;
    number_ = nullptr;
    return true;
  }

  const std::array<std::pair<std::string_view, std::string*>, 7> texts_{{{"sender", &sender},
                                                                         {"method", &method},
                                                                         {"proto", &proto},
                                                                         {"remote_addr", &remote},
                                                                         {"request_id", &id},
                                                                         {"uri", &uri},
                                                                         {"user_agent", &agent}}};
  const std::array<std::pair<std::string_view, std::int64_t*>, 3> numbers_{
      {{"resp_status", &status}, {"resp_size", &size}, {"elapsed_ms", &elapsed_ms}}};
  int depth_ = 0;
  std::string* text_ = nullptr;
  std::int64_t* number_ = nullptr;
};

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
  AccessLine line;
  if (!Json::sax_parse(line_json, &line)) return;
  core::log::http({.sender = line.sender,
                   .method = line.method,
                   .proto = line.proto,
                   .remote_addr = line.remote,
                   .request_id = line.id,
                   .uri = line.uri,
                   .user_agent = line.agent,
                   .resp_status = line.status,
                   .resp_size = line.size,
                   .elapsed_ms = line.elapsed_ms});
}

}  // namespace host::admin
