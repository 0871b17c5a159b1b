// SPDX-License-Identifier: Apache-2.0
//
// Finds, loads and remembers plugins and makes configured objects from their factories. Used on one thread while the
// host starts and stops; what names a storage may be called from any thread afterwards. Libraries are never unloaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/plugin/authenticator.h"
#include "host/plugin/notifier.h"
#include "host/plugin/provider.h"
#include "host/plugin/schema_check.h"
#include "host/plugin/service.h"
#include "host/plugin/storage.h"

struct sp_plugin;

namespace host::plugin {

inline constexpr std::uint64_t kNobodysSession = 0;

struct RegistryOptions {
  std::filesystem::path directory;                    // where NAME.so is looked up
  std::vector<std::filesystem::path> paths;           // further files, absolute
  std::map<std::string, std::string> sha256;          // plugin name -> wanted digest in hex
  std::map<std::string, std::string> storage_config;  // storage name -> JSON object of settings
  // Further services for plugins by id ("host.users/1"); tables outlive the registry.
  std::map<std::string, const void*, std::less<>> host_extensions;
};

enum class Kind { kStorage = 1, kProvider = 2, kAuthenticator = 3, kNotifier = 4, kService = 5 };
std::string_view kind_name(Kind kind);

// What `sallyport plugin list|show` tells.
struct PluginInfo {
  struct Factory {
    Kind kind;
    std::string type, summary, config_schema, user_schema;
  };
  std::string file, id, name, version, vendor;
  std::vector<Factory> factories;
};

class Registry {
 public:
  explicit Registry(RegistryOptions options);
  ~Registry();  // after every object made from it is gone: deinit of each plugin

  // Loads NAME.so from the directory or, when `name` is one of options.paths' stems, from there. Remembers it.
  core::Result<const PluginInfo*> load(std::string_view name);
  // The same for a plugin that is linked into the program (tests, sanitizer builds).
  core::Result<const PluginInfo*> adopt(const sp_plugin* plugin);
  // Names of all plugin files in the directory and paths, sorted; nothing is loaded.
  std::vector<std::string> available() const;
  // What is loaded, by name. Any thread.
  std::vector<const PluginInfo*> loaded() const;

  // The storage backend of that name ("fs-local"), made on first use from plugins.storage.NAME. Who waits for others to
  // make it gives up when its session is gone. Any thread.
  core::Result<std::shared_ptr<Storage>> storage(std::string_view name, std::uint64_t session = kNobodysSession);
  // Those made so far. Any thread.
  std::vector<std::shared_ptr<Storage>> storages() const;
  // Lets their workers do what is queued and ends them; what is to be released later is released by the caller's
  // thread. What nobody's session waits for, as the end of an upload whose client has left, gets some seconds.
  void stop_storages();
  // A new provider; config_json is checked against the plugin's schema.
  core::Result<std::unique_ptr<Provider>> make_provider(std::string_view name, const std::string& config_json);
  // A new service, not started; config_json as above, `where` is what messages call it.
  core::Result<std::unique_ptr<Service>> make_service(std::string_view name, const std::string& config_json,
                                                      std::string_view where);
  // The same for those who are asked at logins and told of events.
  core::Result<std::unique_ptr<Authenticator>> make_authenticator(std::string_view name, const std::string& config_json,
                                                                  std::string_view where);
  core::Result<std::unique_ptr<Notifier>> make_notifier(std::string_view name, const std::string& config_json,
                                                        std::string_view where);
  // Checks one user's storage settings against the backend's user_schema and fills in defaults.
  core::Result<std::string> check_user_settings(std::string_view storage_name, const std::string& settings_json);
  // `changed` with those secrets (writeOnly members) from `stored` that are emptied in it: people send back what they
  // were shown.
  core::Result<std::string> keep_user_secrets(std::string_view storage_name, const std::string& stored,
                                              const std::string& changed);
  // The same settings with secrets (writeOnly members) emptied, for showing to people.
  core::Result<std::string> blank_user_secrets(std::string_view storage_name, const std::string& settings_json);
  // The same settings with each secret that is a text replaced by what `change` makes of it. Any thread.
  core::Result<std::string> change_user_secrets(std::string_view storage_name, const std::string& settings_json,
                                                const SecretChange& change);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace host::plugin
