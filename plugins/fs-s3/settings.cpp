// SPDX-License-Identifier: Apache-2.0
//
// The host has checked both against their schemas before they come here; what a schema cannot say is checked now.
#include "settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace fs_s3 {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;
constexpr std::size_t kUsersWithFullMemory = 4;

Failure wrong(const std::string& text) { return {SP_E_INVALID, text, 0}; }

// Parts on their way, and the one that is filled meanwhile.
std::size_t upload_bytes(const object_common::PartLimits& limits) {
  return limits.part_bytes * static_cast<std::size_t>(limits.concurrency + 1);
}

// A name with dots fits no certificate of "*.s3.region.amazonaws.com".
bool fits_in_host(const std::string& bucket, bool tls) { return !tls || bucket.find('.') == std::string::npos; }

Outcome<void> choose_endpoint(Bucket& bucket, const std::string& given, bool bucket_in_host) {
  const bool own = !given.empty();
  const auto endpoint =
      Endpoint::parse(own ? given : "https://s3." + bucket.region + "." + amazon_domain(bucket.region));
  if (!endpoint) return wrong("endpoint: not of the form https://host:port");
  bucket.endpoint = *endpoint;
  bucket.in_path = (own && !bucket_in_host) || !fits_in_host(bucket.name, endpoint->tls);
  if (!bucket.in_path) bucket.endpoint.host = bucket.name + "." + bucket.endpoint.host;
  return {};
}

}  // namespace

std::size_t Settings::user_memory_bytes() const {
  return std::max(memory_bytes / kUsersWithFullMemory, upload_bytes(upload));
}

Outcome<Settings> Settings::parse(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return wrong("settings are not a JSON object");
  const auto number = [&](const char* name) { return json.at(name).get<std::size_t>(); };
  try {
    Settings settings;
    settings.http.connect_timeout = std::chrono::seconds(number("connect_timeout"));
    settings.http.timeout = std::chrono::seconds(number("timeout"));
    settings.http.ca_file = json.at("ca_file").get<std::string>();
    settings.retries.attempts = static_cast<int>(number("attempts"));
    settings.upload.part_bytes = number("part_size_mib") * kMiB;
    settings.upload.concurrency = static_cast<int>(number("upload_concurrency"));
    settings.download.largest_bytes = number("download_chunk_mib") * kMiB;
    settings.download.ahead = static_cast<int>(number("download_concurrency"));
    settings.memory_bytes = number("max_memory_mib") * kMiB;
    settings.threads = number("threads");
    settings.rename_max_keys = number("rename_max_keys");
    const auto times = json.at("mtime_in_metadata").get<std::string>();
    settings.times = times == "list" ? Times::kList : times == "stat" ? Times::kStat : Times::kStore;
    settings.resume = json.at("resume_uploads").get<bool>();
    settings.bucket_in_host = json.at("virtual_host").get<bool>();
    if (upload_bytes(settings.upload) > settings.memory_bytes) {
      return wrong("max_memory_mib: found " + std::to_string(settings.memory_bytes / kMiB) + ", wanted at least " +
                   std::to_string(upload_bytes(settings.upload) / kMiB) +
                   ": part_size_mib times one more than upload_concurrency");
    }
    settings.upload.max_part_bytes = std::min(settings.upload.max_part_bytes, settings.user_memory_bytes());
    return settings;
  } catch (const nlohmann::json::exception& e) {
    return wrong(std::string("settings: ") + e.what());
  }
}

Outcome<AccountSettings> AccountSettings::parse(std::string_view text, bool bucket_in_host) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return wrong("settings are not a JSON object");
  const auto member = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  auto keys = Keys::within(member("key_prefix"));
  if (!keys) return wrong("key_prefix: begins with '/' or leads out of itself");
  AccountSettings settings{{}, *std::move(keys), std::nullopt};
  settings.bucket.name = member("bucket");
  settings.bucket.region = member("region");
  settings.bucket.storage_class = member("storage_class");
  if (settings.bucket.name.empty() || settings.bucket.region.empty()) return wrong("bucket and region are needed");
  if (auto chosen = choose_endpoint(settings.bucket, member("endpoint"), bucket_in_host); !chosen) {
    return std::move(chosen.failure());
  }
  const std::string access_key = member("access_key");
  if (access_key.empty() != member("access_secret").empty()) return wrong("access_key and access_secret go together");
  if (!access_key.empty()) settings.credentials = Credentials{access_key, member("access_secret"), ""};
  return settings;
}

}  // namespace fs_s3
