// SPDX-License-Identifier: Apache-2.0
//
// Names -> plugins -> configured objects. A plugin's own code runs in its turn (setup_turns.h), never under the mutex:
// a storage is made when somebody first logs in to it, and others who log in meanwhile must not wait for it. Must not
// know who asks for a plugin or why.
#include "host/plugin/registry.h"

#include <sallyport/auth.h>
#include <sallyport/notifier.h>
#include <sallyport/plugin.h>
#include <sallyport/provider.h>
#include <sallyport/service.h>
#include <sallyport/storage.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "host/core/log.h"
#include "host/plugin/authenticator.h"
#include "host/plugin/error.h"
#include "host/plugin/host_services.h"
#include "host/plugin/plugin_files.h"
#include "host/plugin/plugin_table.h"
#include "host/plugin/setup_turns.h"
#include "host/plugin/slots.h"

namespace host::plugin {

using core::Error;
using core::Result;
using core::Status;

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kStorage: return "storage";
    case Kind::kProvider: return "provider";
    case Kind::kAuthenticator: return "authenticator";
    case Kind::kNotifier: return "notifier";
    case Kind::kService: return "service";
  }
  return "unknown";
}

static_assert(static_cast<std::uint32_t>(Kind::kStorage) == SP_KIND_STORAGE);
static_assert(static_cast<std::uint32_t>(Kind::kProvider) == SP_KIND_PROVIDER);
static_assert(static_cast<std::uint32_t>(Kind::kAuthenticator) == SP_KIND_AUTH);
static_assert(static_cast<std::uint32_t>(Kind::kNotifier) == SP_KIND_NOTIFIER);
static_assert(static_cast<std::uint32_t>(Kind::kService) == SP_KIND_SERVICE);

namespace {

constexpr auto kCommitPatience = std::chrono::seconds(5);  // within that of the process (app/app.cpp)

Error refuse(const std::string& what, const Error& reason) {
  return {reason.status, "cannot load plugin " + what + ": " + reason.text};
}

Result<const LoadedFactory*> find_factory(const LoadedPlugin& plugin, Kind kind) {
  const LoadedFactory* first = nullptr;
  std::string offered;
  for (const auto& factory : plugin.factories) {
    const auto its_kind = static_cast<Kind>(factory.raw.kind);
    offered += (offered.empty() ? "a " : ", a ") + std::string(kind_name(its_kind));
    if (its_kind != kind) continue;
    if (first == nullptr || to_view(factory.raw.type) == plugin.info.name) first = &factory;
  }
  if (first != nullptr) return first;
  return refuse(plugin.info.file,
                {Status::kInvalid, "found " + offered + " in it, wanted a " + std::string(kind_name(kind))});
}

}  // namespace

struct Registry::Impl {
  explicit Impl(RegistryOptions opts) : options(std::move(opts)), services(options.host_extensions) {}

  const RegistryOptions options;
  HostServices services;
  SetupTurns turns;
  mutable std::mutex mutex;  // of what follows, where nothing is taken out or changed but by the destructor
  std::map<std::string, std::unique_ptr<LoadedPlugin>, std::less<>> plugins;
  std::vector<LoadedPlugin*> init_order;
  std::map<std::string, std::shared_ptr<Storage>, std::less<>> storages;

  LoadedPlugin* known(std::string_view name) const;
  std::shared_ptr<Storage> made(std::string_view name) const;
  Result<LoadedPlugin*> plugin(std::string_view name);
  Result<Schema> user_schema(std::string_view storage_name);
  template <class Raw>
  Result<Raw*> make(Kind kind, std::string_view name, const std::string& settings, std::string_view where);
  // In the plugin's turn:
  Result<LoadedPlugin*> keep(std::unique_ptr<LoadedPlugin> plugin);
  Result<LoadedPlugin*> load(std::string_view name);
  Result<void*> create(const LoadedPlugin& plugin, const LoadedFactory& factory, const std::string& settings,
                       std::string_view where);
  template <class Raw>
  Result<Raw*> make_in_turn(Kind kind, std::string_view name, const std::string& settings, std::string_view where);
};

Result<LoadedPlugin*> Registry::Impl::keep(std::unique_ptr<LoadedPlugin> plugin) {
  if (sp_status(SP_CALL * init)(const sp_host*, sp_error*) = plugin->table.init; init != nullptr) {
    ErrorSlot error;
    const auto status = fenced([&] { return init(services.table(), error.out()); });
    if (!status) return Error(Status::kInternal, "its init failed: " + status.error().text);
    if (*status != SP_OK) return to_error(*status, error, "its init failed");
  }
  auto* const kept = plugin.get();
  {
    const std::lock_guard lock(mutex);
    init_order.push_back(kept);
    plugins[kept->info.name] = std::move(plugin);
  }
  core::log::debug("plugin", "", "loaded " + kept->info.name + " " + kept->info.version + " from " + kept->info.file);
  return kept;
}

LoadedPlugin* Registry::Impl::known(std::string_view name) const {
  const std::lock_guard lock(mutex);
  const auto it = plugins.find(name);
  return it != plugins.end() ? it->second.get() : nullptr;
}

std::shared_ptr<Storage> Registry::Impl::made(std::string_view name) const {
  const std::lock_guard lock(mutex);
  const auto it = storages.find(name);
  return it != storages.end() ? it->second : nullptr;
}

Result<LoadedPlugin*> Registry::Impl::load(std::string_view name) {
  if (auto* const there = known(name)) return there;
  const auto file = find_plugin(options, name);
  if (!file) return refuse(std::string(name), file.error());
  auto plugin = read_plugin(options, name, *file);
  if (!plugin) return refuse(file->string(), plugin.error());
  (*plugin)->info.file = file->string();
  auto kept = keep(std::move(*plugin));
  if (!kept) return refuse(file->string(), kept.error());
  return kept;
}

Result<LoadedPlugin*> Registry::Impl::plugin(std::string_view name) {
  if (auto* const there = known(name)) return there;
  const auto turn = turns.take(name, kNobodysSession);
  if (!turn) return turn.error();
  return load(name);
}

Result<Schema> Registry::Impl::user_schema(std::string_view storage_name) {
  const auto found = plugin(storage_name);
  if (!found) return found.error();
  const auto factory = find_factory(**found, Kind::kStorage);
  if (!factory) return factory.error();
  return (*factory)->user;  // shares its tree
}

Result<void*> Registry::Impl::create(const LoadedPlugin& plugin, const LoadedFactory& factory,
                                     const std::string& settings, std::string_view where) {
  auto checked = factory.config.check(settings.empty() ? "{}" : settings, where);
  if (!checked) return checked.error();
  const std::string who = (where.empty() ? "" : std::string(where) + ": ") + "plugin " + plugin.info.name + " (" +
                          plugin.info.file + ") cannot be set up";
  sp_status(SP_CALL * raw_create)(const sp_host*, sp_str, void**, sp_error*) = factory.raw.create;
  ErrorSlot error;
  void* object = nullptr;
  const auto status =
      fenced([&] { return raw_create(services.table(), to_c(std::string_view(*checked)), &object, error.out()); });
  if (!status) return Error(Status::kInternal, who + ": " + status.error().text);
  if (*status != SP_OK) return to_error(*status, error, who);
  if (object == nullptr) return Error(Status::kInternal, who + ": create made nothing (NULL)");
  return object;
}

template <class Raw>
Result<Raw*> Registry::Impl::make_in_turn(Kind kind, std::string_view name, const std::string& settings,
                                          std::string_view where) {
  const auto plugin = load(name);
  if (!plugin) return plugin.error();
  const auto factory = find_factory(**plugin, kind);
  if (!factory) return factory.error();
  const auto object = create(**plugin, **factory, settings, where);
  if (!object) return object.error();
  auto* const raw = static_cast<Raw*>(*object);
  if (auto whole = check_slots(raw); !whole) return refuse((*plugin)->info.file, whole.error());
  return raw;
}

template <class Raw>
Result<Raw*> Registry::Impl::make(Kind kind, std::string_view name, const std::string& settings,
                                  std::string_view where) {
  const auto turn = turns.take(name, kNobodysSession);
  if (!turn) return turn.error();
  return make_in_turn<Raw>(kind, name, settings, where);
}

Registry::Registry(RegistryOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

std::vector<std::shared_ptr<Storage>> Registry::storages() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<std::shared_ptr<Storage>> all;
  for (const auto& [name, storage] : impl_->storages) all.push_back(storage);
  return all;
}

void Registry::stop_storages() {
  std::mutex mutex;
  std::condition_variable over;
  bool done = false;
  std::thread impatient([&] {
    std::unique_lock lock(mutex);
    if (over.wait_for(lock, kCommitPatience, [&] { return done; })) return;
    const SessionGone nobody(kNobodysSession);
    over.wait(lock, [&] { return done; });
  });
  for (const auto& storage : storages()) storage->pool().stop();
  {
    const std::lock_guard lock(mutex);
    done = true;
  }
  over.notify_one();
  impatient.join();
}

Registry::~Registry() {
  stop_storages();  // what workers still have to close and unmount is done while its storage is there
  impl_->storages.clear();
  for (auto it = impl_->init_order.rbegin(); it != impl_->init_order.rend(); ++it) {
    void(SP_CALL * deinit)(void) = (*it)->table.deinit;
    if (deinit == nullptr) continue;
    const auto done = fenced([&] {
      deinit();
      return SP_OK;
    });
    if (!done) core::log::error("plugin", "", "stopping " + (*it)->info.name + ": " + done.error().text);
  }
}

Result<const PluginInfo*> Registry::load(std::string_view name) {
  const auto plugin = impl_->plugin(name);
  if (!plugin) return plugin.error();
  return &(*plugin)->info;
}

Result<const PluginInfo*> Registry::adopt(const sp_plugin* raw) {
  const auto name = raw != nullptr ? std::string(to_view(raw->name)) : std::string();
  const auto turn = impl_->turns.take(name, kNobodysSession);
  if (!turn) return turn.error();
  if (impl_->known(name) != nullptr) return Error(Status::kExists, "plugin " + name + " is there already");
  auto plugin = read_table(raw, name);
  if (!plugin) return refuse(name, plugin.error());
  (*plugin)->info.file = "built in";
  auto kept = impl_->keep(std::move(*plugin));
  if (!kept) return refuse(name, kept.error());
  return &(*kept)->info;
}

std::vector<std::string> Registry::available() const { return plugin_names(impl_->options); }

std::vector<const PluginInfo*> Registry::loaded() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<const PluginInfo*> infos;
  for (const auto& [name, plugin] : impl_->plugins) infos.push_back(&plugin->info);
  return infos;
}

Result<std::shared_ptr<Storage>> Registry::storage(std::string_view name, std::uint64_t session) {
  if (auto there = impl_->made(name)) return there;
  const auto turn = impl_->turns.take(name, session);
  if (!turn) return turn.error();
  if (auto there = impl_->made(name)) return there;  // by whoever had the turn before
  const auto settings = impl_->options.storage_config.find(std::string(name));
  const auto raw = impl_->make_in_turn<sp_storage>(
      Kind::kStorage, name, settings != impl_->options.storage_config.end() ? settings->second : "{}",
      "plugins.storage." + std::string(name));
  if (!raw) return raw.error();
  auto storage = std::make_shared<Storage>(std::string(name), *raw);
  const std::lock_guard lock(impl_->mutex);
  return impl_->storages[std::string(name)] = std::move(storage);
}

Result<std::unique_ptr<Provider>> Registry::make_provider(std::string_view name, const std::string& config_json) {
  const auto raw = impl_->make<sp_provider>(Kind::kProvider, name, config_json, "data_provider");
  if (!raw) return raw.error();
  return std::make_unique<Provider>(std::string(name), *raw);
}

Result<std::unique_ptr<Service>> Registry::make_service(std::string_view name, const std::string& config_json,
                                                        std::string_view where) {
  const auto raw = impl_->make<sp_service>(Kind::kService, name, config_json, where);
  if (!raw) return raw.error();
  return std::make_unique<Service>(std::string(name), *raw);
}

Result<std::unique_ptr<Authenticator>> Registry::make_authenticator(std::string_view name,
                                                                    const std::string& config_json,
                                                                    std::string_view where) {
  const auto raw = impl_->make<sp_authenticator>(Kind::kAuthenticator, name, config_json, where);
  if (!raw) return raw.error();
  return std::make_unique<Authenticator>(std::string(name), *raw, where);
}

Result<std::unique_ptr<Notifier>> Registry::make_notifier(std::string_view name, const std::string& config_json,
                                                          std::string_view where) {
  const auto raw = impl_->make<sp_notifier>(Kind::kNotifier, name, config_json, where);
  if (!raw) return raw.error();
  return std::make_unique<Notifier>(std::string(name), *raw);
}

Result<std::string> Registry::check_user_settings(std::string_view storage_name, const std::string& settings_json) {
  const auto schema = impl_->user_schema(storage_name);
  if (!schema) return schema.error();
  return schema->check(settings_json.empty() ? "{}" : settings_json, "filesystem.config");
}

Result<std::string> Registry::keep_user_secrets(std::string_view storage_name, const std::string& stored,
                                                const std::string& changed) {
  const auto schema = impl_->user_schema(storage_name);
  if (!schema) return schema.error();
  return schema->keep_secrets(stored, changed);
}

Result<std::string> Registry::blank_user_secrets(std::string_view storage_name, const std::string& settings_json) {
  const auto schema = impl_->user_schema(storage_name);
  if (!schema) return schema.error();
  return schema->blank_secrets(settings_json);
}

Result<std::string> Registry::change_user_secrets(std::string_view storage_name, const std::string& settings_json,
                                                  const SecretChange& change) {
  const auto schema = impl_->user_schema(storage_name);
  if (!schema) return schema.error();
  return schema->change_secrets(settings_json, change);
}

}  // namespace host::plugin
