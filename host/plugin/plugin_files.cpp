// SPDX-License-Identifier: Apache-2.0
//
// A name -> a file -> what is in it. What can be said about a file without loading it is said first: code that runs
// while a library is loaded cannot be taken back.
#include "host/plugin/plugin_files.h"

#include <algorithm>
#include <system_error>

#include "host/plugin/library_file.h"
#include "host/plugin/loader.h"

namespace host::plugin {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;

namespace {

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

std::vector<std::string> plugin_names(const RegistryOptions& options) {
  auto names = names_in(options.directory);
  for (const auto& path : options.paths) names.push_back(path.stem().string());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<fs::path> find_plugin(const RegistryOptions& options, std::string_view name) {
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
  for (const auto& other : plugin_names(options)) there += (there.empty() ? "" : ", ") + other;
  return Error(Status::kNotFound,
               "found no file " + file.string() + "; plugins that are there: " + (there.empty() ? "none" : there));
}

Result<std::unique_ptr<LoadedPlugin>> read_plugin(const RegistryOptions& options, std::string_view name,
                                                  const fs::path& file) {
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

}  // namespace host::plugin
