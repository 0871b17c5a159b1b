// SPDX-License-Identifier: Apache-2.0
//
// Between provider numbers and backend names. Knows of S3 and GCS only which members hold secrets; the meaning of
// settings is the storage plugin's. Pure functions, any thread.
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

// `$aes$KEY$HEX` without the key: enough to show that there is a secret and to recognise it when it comes back.
std::string masked(const std::string& secret) {
  constexpr std::string_view kMark = "$aes$";
  const auto end_of_key = secret.starts_with(kMark) ? secret.find('$', kMark.size()) : std::string::npos;
  if (end_of_key != std::string::npos) return std::string(kMark) + secret.substr(end_of_key + 1);
  return secret.starts_with(kMark) ? secret : std::string();  // masked already
}

void blank(Json& settings, std::string_view backend) {
  if (backend == "fs-s3") {
    if (!settings.contains("access_secret")) return;
    const auto& secret = settings.at("access_secret");
    const std::string shown = secret.is_string() ? masked(secret.get<std::string>()) : std::string();
    if (shown.empty()) {
      settings.erase("access_secret");
    } else {
      settings["access_secret"] = shown;
    }
  } else if (backend == "fs-gcs") {
    settings.erase("credentials");
  } else {
    // Which texts of another backend are secret is not known here, so none is shown.
    for (auto& [name, value] : settings.items()) {
      if (!value.is_number() && !value.is_boolean()) value = "";
    }
  }
}

std::string text_in(const Json& settings, const char* name) {
  const auto it = settings.find(name);
  return it != settings.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// A secret that comes back as it was shown, or empty beside what it belongs to, is the stored one.
void keep_secret(std::string_view backend, const Json& stored, Json& changed) {
  const char* const name = backend == "fs-s3" ? "access_secret" : backend == "fs-gcs" ? "credentials" : nullptr;
  if (name == nullptr || !stored.contains(name) || !changed.contains(name)) return;
  const auto given = text_in(changed, name);
  const bool belongs = backend != "fs-s3" || !text_in(changed, "access_key").empty();
  if ((given.empty() && belongs) || (!given.empty() && given == masked(text_in(stored, name)))) {
    changed[name] = stored.at(name);
  }
}

bool is_empty(const Json& value) {
  return value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()) ||
         (value.is_number_integer() && value.get<std::int64_t>() == 0);
}

core::Result<void> merge_settings(Filesystem& filesystem, const Json& json, const char* member, bool drop_empty) {
  if (!json.contains(member) || json.at(member).is_null()) return core::ok();
  const Json& given = json.at(member);
  if (!given.is_object()) return invalid(std::string("filesystem.") + member + " must be an object");
  Json settings = Json::parse(filesystem.settings_json, nullptr, false);
  if (!settings.is_object()) settings = Json::object();
  const Json stored = settings;
  settings.update(given);
  keep_secret(filesystem.backend, stored, settings);
  if (drop_empty) {
    for (auto it = settings.begin(); it != settings.end();)
      it = is_empty(it.value()) ? settings.erase(it) : std::next(it);
  }
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
  if (secrets == Secrets::kBlank) blank(settings, filesystem.backend);
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
  const char* member = numbered != nullptr ? numbered->member : "config";
  return merge_settings(filesystem, json, member, numbered != nullptr && numbered->provider != 0);
}

}  // namespace host::users
