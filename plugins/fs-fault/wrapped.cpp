// SPDX-License-Identifier: Apache-2.0
//
// Loads the library of the wrapped storage as the host would, with its checks of the table, and of who may write the
// file where it is none that lies beside this plugin, which the host has looked at. Start-up only.
#include "wrapped.h"

#include <dlfcn.h>

#include <filesystem>
#include <string_view>
#include <system_error>

namespace fs_fault {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

Failure refused(const std::string& file, const std::string& why) {
  return {SP_E_INVALID, "cannot wrap " + file + ": " + why, 0};
}

std::string beside_us(const std::string& name) {
  Dl_info us{};
  if (::dladdr(reinterpret_cast<const void*>(&sp_plugin_v1), &us) == 0) return name;
  const std::filesystem::path file = us.dli_fname;
  return (file.parent_path() / name).string() + file.extension().string();
}

// What is not there says so itself, when it is loaded.
bool may_write(const std::filesystem::path& path, std::filesystem::perms who) {
  std::error_code failed;
  const auto permissions = std::filesystem::status(path, failed).permissions();
  return !failed && (permissions & who) != std::filesystem::perms::none;
}

Outcome<void> check(const std::string& file) {
  using std::filesystem::perms;
  const auto directory = std::filesystem::path(file).parent_path();
  if (may_write(file, perms::group_write | perms::others_write) || may_write(directory, perms::others_write)) {
    return refused(file, "others than its owner may write it, or its directory (chmod go-w)");
  }
  return {};
}

Outcome<const sp_plugin*> load(const std::string& file) {
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return refused(file, ::dlerror());
  const auto entry = reinterpret_cast<sp_plugin_v1_fn>(::dlsym(library, SP_PLUGIN_SYMBOL));
  if (entry == nullptr) return refused(file, "it exports no " SP_PLUGIN_SYMBOL);
  const sp_plugin* plugin = entry();
  if (plugin == nullptr || plugin->abi != SP_ABI || plugin->struct_size < sizeof(sp_plugin)) {
    return refused(file, "it was built for another host");
  }
  if (plugin->init != nullptr) return refused(file, "it must be initialised, which only the host may do");
  return plugin;
}

Outcome<const sp_factory*> storage_factory(const sp_plugin& plugin, const std::string& file) {
  for (const auto* const* factory = plugin.factories; *factory != nullptr; ++factory) {
    if ((*factory)->kind == SP_KIND_STORAGE && (*factory)->kind_abi == SP_STORAGE_ABI) return *factory;
  }
  return refused(file, "it is no storage");
}

}  // namespace

Outcome<StoragePtr> make_wrapped(const sp_host& host, const std::string& name, const std::string& library,
                                 const std::string& settings_json) {
  const std::string file = library.empty() ? beside_us(name) : library;
  if (auto safe = library.empty() ? Outcome<void>() : check(file); !safe) return safe.failure();
  auto plugin = load(file);
  if (!plugin) return plugin.failure();
  if (std::string_view((*plugin)->name) == "fs-fault") return refused(file, "it is this plugin itself");
  auto factory = storage_factory(**plugin, file);
  if (!factory) return factory.failure();
  void* made = nullptr;
  auto created =
      pass([&](sp_error* error) { return (*factory)->create(&host, sallyport::str(settings_json), &made, error); });
  if (!created) return refused(file, created.failure().message);
  return StoragePtr(static_cast<sp_storage*>(made));
}

}  // namespace fs_fault
