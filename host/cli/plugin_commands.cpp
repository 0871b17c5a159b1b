// SPDX-License-Identifier: Apache-2.0
//
// `plugin ...`: what is installed, whether it loads, what it can do and how it is configured.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "host/app/settings.h"
#include "host/cli/commands.h"
#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/plugin/capability_names.h"

namespace host::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct PluginFlags {
  ConfigFlags config;
  std::string name;
  bool as_json = false;
};

std::string kinds_of(const plugin::PluginInfo& info) {
  std::string kinds;
  for (const auto& factory : info.factories)
    kinds += (kinds.empty() ? "" : ",") + std::string(plugin::kind_name(factory.kind));
  return kinds;
}

int list(const PluginFlags& flags) {
  const auto config = flags.config.load();
  if (!config) return fail(config.error());
  const auto options = app::registry_options(*config);
  std::error_code failed;
  if (!fs::is_directory(options.directory, failed)) {
    return fail(
        core::Error(core::Status::kNotFound, "plugins.directory: there is no directory " + options.directory.string()));
  }
  plugin::Registry registry(options);
  std::vector<std::vector<std::string>> rows = {{"NAME", "VERSION", "KIND", "FILE", "STATUS"}};
  auto array = Json::array();
  bool all_load = true;
  for (const auto& name : registry.available()) {
    const auto loaded = registry.load(name);
    const auto status = loaded ? std::string("ok") : loaded.error().message();
    all_load = all_load && loaded.has_value();
    const plugin::PluginInfo nothing;
    const auto& info = loaded ? **loaded : nothing;
    rows.push_back({name, info.version, kinds_of(info), info.file, status});
    array.push_back({{"name", name},
                     {"version", info.version},
                     {"kind", kinds_of(info)},
                     {"file", info.file},
                     {"ok", loaded.has_value()},
                     {"status", status}});
  }
  std::cout << (flags.as_json ? array.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : format_table(rows));
  return all_load ? EXIT_SUCCESS : EXIT_FAILURE;
}

class PrivateDirectory {
 public:
  PrivateDirectory() {
    std::string pattern = (fs::temp_directory_path() / "sallyport-XXXXXX").string();
    if (const char* made = ::mkdtemp(pattern.data()); made != nullptr) path_ = made;
  }
  ~PrivateDirectory() {
    std::error_code failed;
    if (!path_.empty()) fs::remove_all(path_, failed);
  }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string words_of(const plugin::FsCaps& caps) {
  std::string words;
  for (const auto& name : plugin::capability_names(caps)) words += (words.empty() ? "" : ", ") + name;
  return words;
}

// A storage tells what it can do when it is mounted; an empty directory serves those that want a root.
std::string capabilities(plugin::Registry& registry, const std::string& name) {
  const PrivateDirectory root;
  const auto storage = registry.storage(name);
  if (!storage) return "unknown: " + storage.error().message();
  plugin::MountArgs args;
  args.user = "capabilities";
  args.root = root.path().string();
  const auto mounted = (*storage)->mount({}, std::move(args));
  return mounted ? words_of((*mounted)->caps()) : "unknown: " + mounted.error().message();
}

void print_schema(const char* title, const std::string& schema) {
  if (schema.empty()) return;
  const auto json = Json::parse(schema, nullptr, false);
  std::cout << "  " << title << ":\n" << (json.is_discarded() ? schema : json.dump(2)) << "\n";
}

int show(const PluginFlags& flags) {
  const auto config = flags.config.load();
  if (!config) return fail(config.error());
  plugin::Registry registry(app::registry_options(*config));
  const auto loaded = registry.load(flags.name);
  if (!loaded) return fail(loaded.error());
  const auto& info = **loaded;
  std::cout << "name: " << info.name << "\nid: " << info.id << "\nversion: " << info.version
            << "\nvendor: " << info.vendor << "\nfile: " << info.file << "\n";
  for (const auto& factory : info.factories) {
    std::cout << plugin::kind_name(factory.kind) << " " << factory.type << ": " << factory.summary << "\n";
    if (factory.kind == plugin::Kind::kStorage)
      std::cout << "  capabilities: " << capabilities(registry, info.name) << "\n";
    print_schema("configuration", factory.config_schema);
    print_schema("settings of each account", factory.user_schema);
  }
  return EXIT_SUCCESS;
}

}  // namespace

void add_plugin_commands(Commands& commands) {
  auto& group = commands.add_group("plugin", "look at plugins");
  auto listing = std::make_shared<PluginFlags>();
  auto& list_command =
      commands.add(group, "list", "list plugins and whether they load", [listing] { return list(*listing); });
  listing->config.add_to(list_command);
  list_command.add_flag("--json", listing->as_json, "as a JSON array");
  auto showing = std::make_shared<PluginFlags>();
  auto& show_command = commands.add(group, "show", "show one plugin: version, kinds, capabilities, configuration",
                                    [showing] { return show(*showing); });
  showing->config.add_to(show_command);
  show_command.add_option("NAME", showing->name, "plugin name, such as fs-local")->required();
}

}  // namespace host::cli
