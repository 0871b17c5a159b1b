// SPDX-License-Identifier: Apache-2.0
//
// Names -> plugins -> configured objects. One mutex around everything: loading and creating are rare, and systems
// differ in whether libraries may be loaded concurrently. Must not know who asks for a plugin or why.
#include "host/plugin/registry.h"

#include <sallyport/auth.h>
#include <sallyport/notifier.h>
#include <sallyport/plugin.h>
#include <sallyport/provider.h>
#include <sallyport/service.h>
#include <sallyport/storage.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "host/core/log.h"
#include "host/plugin/authenticator.h"
#include "host/plugin/error.h"
#include "host/plugin/host_services.h"
#include "host/plugin/library_file.h"
#include "host/plugin/loader.h"
#include "host/plugin/plugin_table.h"
#include "host/plugin/slots.h"

namespace host::plugin {

namespace fs = std::filesystem;
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
constexpr std::uint64_t kNoSession = 0;

Error refuse(const std::string& what, const Error& reason) {
  return {reason.status, "cannot load plugin " + what + ": " + reason.text};
}

// A name becomes part of a path, so it must not lead anywhere.
bool is_plugin_name(std::string_view name) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !name.empty() && name.front() != '.' && name.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::vector<std::string> names_in(const fs::path& directory) {
  std::vector<std::string> names;
  std::error_code ec;
  for (fs::directory_iterator it(directory, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() == library_suffix()) names.push_back(it->path().stem().string());
  }
  return names;
}

}  // namespace

struct Registry::Impl {
  explicit Impl(RegistryOptions opts) : options(std::move(opts)), services(options.host_extensions) {}

  const RegistryOptions options;
  HostServices services;
  mutable std::mutex mutex;
  std::map<std::string, std::unique_ptr<LoadedPlugin>, std::less<>> plugins;
  std::vector<LoadedPlugin*> init_order;
  std::map<std::string, std::shared_ptr<Storage>, std::less<>> storages;

  std::vector<std::string> available() const;
  Result<fs::path> find_file(std::string_view name) const;
  Result<std::unique_ptr<LoadedPlugin>> read_file(std::string_view name, const fs::path& file) const;
  Result<LoadedPlugin*> keep(std::unique_ptr<LoadedPlugin> plugin);
  Result<LoadedPlugin*> load(std::string_view name);
  Result<const LoadedFactory*> factory(std::string_view name, Kind kind);
  Result<void*> create(const LoadedFactory& factory, const std::string& settings, std::string_view name,
                       std::string_view where);
};

std::vector<std::string> Registry::Impl::available() const {
  auto names = names_in(options.directory);
  for (const auto& path : options.paths) names.push_back(path.stem().string());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<fs::path> Registry::Impl::find_file(std::string_view name) const {
  if (!is_plugin_name(name)) {
    return Error(Status::kInvalid, "found a name that is none, wanted letters, digits, '-', '_' and '.'");
  }
  for (const auto& path : options.paths) {
    if (path.stem() != name) continue;
    if (!path.is_absolute())
      return Error(Status::kInvalid, "found the path " + path.string() + " in plugins.paths, wanted an absolute one");
    return path;
  }
  auto file = options.directory / (std::string(name) + library_suffix());
  std::error_code ec;
  if (fs::exists(file, ec)) return file;
  std::string there;
  for (const auto& other : available()) there += (there.empty() ? "" : ", ") + other;
  return Error(Status::kNotFound,
               "found no file " + file.string() + "; plugins that are there: " + (there.empty() ? "none" : there));
}

Result<std::unique_ptr<LoadedPlugin>> Registry::Impl::read_file(std::string_view name, const fs::path& file) const {
  // Both the name it was found by and what a symbolic link leads to must be out of others' reach.
  std::error_code ec;
  const auto real = fs::canonical(file, ec);
  if (ec) return Error(Status::kNotFound, "found no such file");
  for (const auto& path : {fs::absolute(file), real}) {
    if (auto safe = check_permissions(path); !safe) return safe.error();
  }
  if (const auto pin = options.sha256.find(std::string(name)); pin != options.sha256.end()) {
    if (auto same = check_sha256(real, pin->second); !same) return same.error();
  }
  if (auto whole = check_complete(real); !whole) return whole.error();
  auto entry = open_library(real);
  if (!entry) return entry.error();
  const sp_plugin* raw = nullptr;
  const auto called = fenced([&] {
    raw = (*entry)();
    return SP_OK;
  });
  if (!called) return Error(Status::kInternal, "calling " SP_PLUGIN_SYMBOL " failed: " + called.error().text);
  return read_table(raw, name);
}

Result<LoadedPlugin*> Registry::Impl::keep(std::unique_ptr<LoadedPlugin> plugin) {
  if (sp_status(SP_CALL * init)(const sp_host*, sp_error*) = plugin->table.init; init != nullptr) {
    ErrorSlot error;
    const auto status = fenced([&] { return init(services.table(), error.out()); });
    if (!status) return Error(Status::kInternal, "its init failed: " + status.error().text);
    if (*status != SP_OK) return to_error(*status, error, "its init failed");
  }
  auto* const kept = plugin.get();
  init_order.push_back(kept);
  plugins[kept->info.name] = std::move(plugin);
  core::log::debug("plugin", "", "loaded " + kept->info.name + " " + kept->info.version + " from " + kept->info.file);
  return kept;
}

Result<LoadedPlugin*> Registry::Impl::load(std::string_view name) {
  if (const auto it = plugins.find(name); it != plugins.end()) return it->second.get();
  const auto file = find_file(name);
  if (!file) return refuse(std::string(name), file.error());
  auto plugin = read_file(name, *file);
  if (!plugin) return refuse(file->string(), plugin.error());
  (*plugin)->info.file = file->string();
  auto kept = keep(std::move(*plugin));
  if (!kept) return refuse(file->string(), kept.error());
  return kept;
}

Result<const LoadedFactory*> Registry::Impl::factory(std::string_view name, Kind kind) {
  auto plugin = load(name);
  if (!plugin) return plugin.error();
  const LoadedFactory* first = nullptr;
  std::string offered;
  for (const auto& factory : (*plugin)->factories) {
    const auto its_kind = static_cast<Kind>(factory.raw.kind);
    offered += (offered.empty() ? "a " : ", a ") + std::string(kind_name(its_kind));
    if (its_kind != kind) continue;
    if (first == nullptr || to_view(factory.raw.type) == name) first = &factory;
  }
  if (first != nullptr) return first;
  return refuse((*plugin)->info.file,
                {Status::kInvalid, "found " + offered + " in it, wanted a " + std::string(kind_name(kind))});
}

Result<void*> Registry::Impl::create(const LoadedFactory& factory, const std::string& settings, std::string_view name,
                                     std::string_view where) {
  auto checked = factory.config.check(settings.empty() ? "{}" : settings, where);
  if (!checked) return checked.error();
  const std::string who = (where.empty() ? "" : std::string(where) + ": ") + "plugin " + std::string(name) + " (" +
                          plugins.find(name)->second->info.file + ") cannot be set up";
  sp_status(SP_CALL * make)(const sp_host*, sp_str, void**, sp_error*) = factory.raw.create;
  ErrorSlot error;
  void* object = nullptr;
  const auto status =
      fenced([&] { return make(services.table(), to_c(std::string_view(*checked)), &object, error.out()); });
  if (!status) return Error(Status::kInternal, who + ": " + status.error().text);
  if (*status != SP_OK) return to_error(*status, error, who);
  if (object == nullptr) return Error(Status::kInternal, who + ": create made nothing (NULL)");
  return object;
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
    const SessionGone nobody(kNoSession);
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
  const std::lock_guard lock(impl_->mutex);
  auto plugin = impl_->load(name);
  if (!plugin) return plugin.error();
  return &(*plugin)->info;
}

Result<const PluginInfo*> Registry::adopt(const sp_plugin* raw) {
  const std::lock_guard lock(impl_->mutex);
  const auto name = raw != nullptr ? std::string(to_view(raw->name)) : std::string();
  if (impl_->plugins.count(name) != 0) return Error(Status::kExists, "plugin " + name + " is there already");
  auto plugin = read_table(raw, name);
  if (!plugin) return refuse(name, plugin.error());
  (*plugin)->info.file = "built in";
  auto kept = impl_->keep(std::move(*plugin));
  if (!kept) return refuse(name, kept.error());
  return &(*kept)->info;
}

std::vector<std::string> Registry::available() const { return impl_->available(); }

std::vector<const PluginInfo*> Registry::loaded() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<const PluginInfo*> infos;
  for (const auto& [name, plugin] : impl_->plugins) infos.push_back(&plugin->info);
  return infos;
}

Result<std::shared_ptr<Storage>> Registry::storage(std::string_view name) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto it = impl_->storages.find(name); it != impl_->storages.end()) return it->second;
  auto factory = impl_->factory(name, Kind::kStorage);
  if (!factory) return factory.error();
  const auto settings = impl_->options.storage_config.find(std::string(name));
  auto object = impl_->create(**factory, settings != impl_->options.storage_config.end() ? settings->second : "{}",
                              name, "plugins.storage." + std::string(name));
  if (!object) return object.error();
  auto* const raw = static_cast<sp_storage*>(*object);
  if (auto whole = check_slots(raw); !whole) return refuse(impl_->plugins.find(name)->second->info.file, whole.error());
  return impl_->storages[std::string(name)] = std::make_shared<Storage>(std::string(name), raw);
}

Result<std::unique_ptr<Provider>> Registry::make_provider(std::string_view name, const std::string& config_json) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(name, Kind::kProvider);
  if (!factory) return factory.error();
  auto object = impl_->create(**factory, config_json, name, "data_provider");
  if (!object) return object.error();
  auto* const raw = static_cast<sp_provider*>(*object);
  if (auto whole = check_slots(raw); !whole) return refuse(impl_->plugins.find(name)->second->info.file, whole.error());
  return std::make_unique<Provider>(std::string(name), raw);
}

Result<std::unique_ptr<Service>> Registry::make_service(std::string_view name, const std::string& config_json,
                                                        std::string_view where) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(name, Kind::kService);
  if (!factory) return factory.error();
  auto object = impl_->create(**factory, config_json, name, where);
  if (!object) return object.error();
  auto* const raw = static_cast<sp_service*>(*object);
  if (auto whole = check_slots(raw); !whole) return refuse(impl_->plugins.find(name)->second->info.file, whole.error());
  return std::make_unique<Service>(std::string(name), raw);
}

Result<std::unique_ptr<Authenticator>> Registry::make_authenticator(std::string_view name,
                                                                    const std::string& config_json,
                                                                    std::string_view where) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(name, Kind::kAuthenticator);
  if (!factory) return factory.error();
  auto object = impl_->create(**factory, config_json, name, where);
  if (!object) return object.error();
  auto* const raw = static_cast<sp_authenticator*>(*object);
  if (auto whole = check_slots(raw); !whole) return refuse(impl_->plugins.find(name)->second->info.file, whole.error());
  return std::make_unique<Authenticator>(std::string(name), raw, where);
}

Result<std::unique_ptr<Notifier>> Registry::make_notifier(std::string_view name, const std::string& config_json,
                                                          std::string_view where) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(name, Kind::kNotifier);
  if (!factory) return factory.error();
  auto object = impl_->create(**factory, config_json, name, where);
  if (!object) return object.error();
  auto* const raw = static_cast<sp_notifier*>(*object);
  if (auto whole = check_slots(raw); !whole) return refuse(impl_->plugins.find(name)->second->info.file, whole.error());
  return std::make_unique<Notifier>(std::string(name), raw);
}

Result<std::string> Registry::check_user_settings(std::string_view storage_name, const std::string& settings_json) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(storage_name, Kind::kStorage);
  if (!factory) return factory.error();
  return (*factory)->user.check(settings_json.empty() ? "{}" : settings_json, "filesystem.config");
}

Result<std::string> Registry::keep_user_secrets(std::string_view storage_name, const std::string& stored,
                                                const std::string& changed) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(storage_name, Kind::kStorage);
  if (!factory) return factory.error();
  return (*factory)->user.keep_secrets(stored, changed);
}

Result<std::string> Registry::blank_user_secrets(std::string_view storage_name, const std::string& settings_json) {
  const std::lock_guard lock(impl_->mutex);
  auto factory = impl_->factory(storage_name, Kind::kStorage);
  if (!factory) return factory.error();
  return (*factory)->user.blank_secrets(settings_json);
}

Result<std::string> Registry::change_user_secrets(std::string_view storage_name, const std::string& settings_json,
                                                  const SecretChange& change) {
  std::unique_lock lock(impl_->mutex);
  auto factory = impl_->factory(storage_name, Kind::kStorage);
  if (!factory) return factory.error();
  const Schema user = (*factory)->user;  // shares its tree
  lock.unlock();
  return user.change_secrets(settings_json, change);
}

}  // namespace host::plugin
