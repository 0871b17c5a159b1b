// SPDX-License-Identifier: Apache-2.0
//
// The only file that includes Boost.DLL. Any thread. Libraries are never unloaded: destructors of thread-local and
// static objects in third-party code make that a gamble. Must not know what is in a plugin.
#include "host/plugin/loader.h"

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>
#include <boost/dll/shared_library_load_mode.hpp>
#include <exception>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace host::plugin {
namespace {

namespace dll = boost::dll;

// What keeps it loaded is left alone at exit, on purpose.
void keep_for_ever(dll::shared_library library) {
  static std::mutex mutex;
  static auto* const libraries = new std::vector<dll::shared_library>;
  const std::lock_guard lock(mutex);
  libraries->push_back(std::move(library));
}

// Boost wraps the words of the system's loader into its own; those of the system say more.
std::string reason_of(const std::exception& e) {
  constexpr std::string_view kMark = "dlerror system message: ";
  std::string text = e.what();
  const auto begin = text.find(kMark);
  if (begin == std::string::npos) return text;
  text.erase(0, begin + kMark.size());
  return text.substr(0, text.rfind("):"));
}

}  // namespace

std::string library_suffix() { return dll::shared_library::suffix().string(); }

core::Result<sp_plugin_v1_fn> open_library(const std::filesystem::path& file) {
  using core::Error;
  using core::Status;
  try {
    dll::shared_library library(file, dll::load_mode::rtld_now | dll::load_mode::rtld_local);
    if (!library.has(SP_PLUGIN_SYMBOL)) {
      keep_for_ever(std::move(library));
      return Error(Status::kInvalid,
                   "found a library without the symbol " SP_PLUGIN_SYMBOL ", wanted a plugin that exports it");
    }
    const auto entry = &library.get<const sp_plugin*()>(SP_PLUGIN_SYMBOL);
    keep_for_ever(std::move(library));
    return static_cast<sp_plugin_v1_fn>(entry);
  } catch (const std::exception& e) {
    return Error(Status::kInvalid, "found a file that the system cannot load as a library (" + reason_of(e) + ")");
  }
}

}  // namespace host::plugin
