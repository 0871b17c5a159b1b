// SPDX-License-Identifier: Apache-2.0
//
// Finds the file and lays file and environment over the defaults. Start-up only, one thread.
#include "host/config/config.h"

#include <optional>

#include "host/config/assign_json.h"
#include "host/config/environment_json.h"

namespace host::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOwnName = "sallyport", kReplacedName = "sftpgo";

std::string_view variable(const char* const* environment, std::string_view name) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.substr(name.size() + 1);
    }
  }
  return {};
}

std::vector<fs::path> directories(const fs::path& dir, const char* const* environment) {
  std::vector<fs::path> out = {dir};
  const fs::path home = variable(environment, "HOME");
  for (const auto name : {kOwnName, kReplacedName}) {
    if (home.is_absolute()) out.push_back(home / ".config" / name);
    out.push_back(fs::path("/etc") / name);
  }
  std::error_code failed;
  out.push_back(fs::current_path(failed));
  return out;
}

// The nearest directory wins, then our own name, then the order of formats().
std::optional<fs::path> find_file(const fs::path& dir, std::string_view name, const char* const* environment) {
  const auto names = name.empty() ? std::vector{kOwnName, kReplacedName} : std::vector{name};
  for (const auto& directory : directories(dir, environment)) {
    for (const auto candidate : names) {
      for (const auto& format : formats()) {
        auto file = directory / candidate;
        if (!candidate.ends_with(format.extension)) file += format.extension;
        std::error_code failed;
        if (fs::exists(file, failed)) return file;
      }
    }
  }
  return std::nullopt;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

fs::path Config::resolve(std::string_view path) const {
  if (path.empty()) return {};
  return (dir / path).lexically_normal();  // an absolute path replaces dir
}

core::Result<Loaded> load(const fs::path& dir, std::string_view name, const char* const* environment) {
  Loaded loaded;
  Config& config = loaded.config;
  std::error_code failed;
  config.dir = fs::absolute(dir.empty() ? "." : dir, failed).lexically_normal();
  Findings findings;
  if (const auto file = find_file(config.dir, name, environment)) {
    config.file = *file;
    const auto tree = read_tree(*file);
    if (!tree) return tree.error();
    assign_tree(config, *tree, file->string(), findings);
  } else if (!name.empty()) {
    return core::Error(core::Status::kNotFound, "no configuration file " + std::string(name) +
                                                    std::string(formats().front().extension) + " in " +
                                                    config.dir.string() + " or the other places");
  }
  assign_environment(config, environment, findings);
  if (!findings.problems.empty()) return core::Error(core::Status::kInvalid, joined(findings.problems));
  loaded.warnings = std::move(findings.warnings);
  return loaded;
}

}  // namespace host::config
