// SPDX-License-Identifier: Apache-2.0
//
// Between provider numbers and backend names. The meaning of settings is the storage plugin's, and so is which of them
// are secret. Pure functions, any thread.
#include "host/users/filesystem_json.h"

#include <iterator>

#include "host/users/validate.h"

namespace host::users {
namespace {

struct Numbered {
  int provider;
  std::string_view backend;
  const char* member;  // where its settings are
};
constexpr Numbered kNumbered[] = {{0, "fs-local", "config"}, {1, "fs-s3", "s3config"}, {2, "fs-gcs", "gcsconfig"}};

const Numbered* by_backend(std::string_view backend) {
  for (const auto& entry : kNumbered) {
    if (entry.backend == backend) return &entry;
  }
  return nullptr;
}

bool is_empty(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_number_integer() && value.get<std::int64_t>() == 0);
}

core::Result<void> merge_settings(Filesystem& filesystem, const Json& json, const char* member) {
  if (!json.contains(member) || json.at(member).is_null()) return core::ok();
  const Json& given = json.at(member);
  if (!given.is_object()) return invalid(std::string("filesystem.") + member + " must be an object");
  Json settings = Json::parse(filesystem.settings_json, nullptr, false);
  if (!settings.is_object()) settings = Json::object();
  settings.update(given);
  filesystem.settings_json = settings.dump();
  return core::ok();
}

core::Result<std::string> backend_of(const Json& provider) {
  if (provider.is_string()) return provider.get<std::string>();
  if (provider.is_number_integer()) {
    for (const auto& entry : kNumbered) {
      if (provider.get<std::int64_t>() == entry.provider) return std::string(entry.backend);
    }
  }
  return invalid("invalid filesystem provider: " + provider.dump() +
                 "; 0, 1, 2 or the name of a storage backend is allowed");
}

}  // namespace

Json filesystem_to_json(const Filesystem& filesystem, Secrets secrets) {
  Json settings = Json::parse(filesystem.settings_json, nullptr, false);
  if (!settings.is_object()) settings = Json::object();
  if (secrets == Secrets::kBlank) {
    for (auto it = settings.begin(); it != settings.end();)
      it = it->is_number() || it->is_boolean() ? std::next(it) : settings.erase(it);
  }
  Json out = Json::object();
  const Numbered* numbered = by_backend(filesystem.backend);
  out["provider"] = numbered != nullptr ? Json(numbered->provider) : Json(filesystem.backend);
  out["s3config"] = Json::object();
  out["gcsconfig"] = Json::object();
  const char* member = numbered != nullptr ? numbered->member : "config";
  if (!settings.empty() || numbered == nullptr) out[member] = std::move(settings);
  return out;
}

core::Result<void> merge_filesystem(Filesystem& filesystem, const Json& json) {
  if (json.is_null()) return core::ok();
  if (!json.is_object()) return invalid("field \"filesystem\" must be an object");
  if (json.contains("provider") && !json.at("provider").is_null()) {
    auto backend = backend_of(json.at("provider"));
    if (!backend) return backend.error();
    if (*backend != filesystem.backend) filesystem = Filesystem{*backend, "{}"};
  }
  const Numbered* numbered = by_backend(filesystem.backend);
  return merge_settings(filesystem, json, numbered != nullptr ? numbered->member : "config");
}

void drop_empty_settings(Filesystem& filesystem) {
  const Numbered* numbered = by_backend(filesystem.backend);
  if (numbered == nullptr || numbered->provider == 0) return;
  Json settings = Json::parse(filesystem.settings_json, nullptr, false);
  if (!settings.is_object()) return;
  for (auto it = settings.begin(); it != settings.end();)
    it = is_empty(it.value()) ? settings.erase(it) : std::next(it);
  filesystem.settings_json = settings.dump();
}

}  // namespace host::users
