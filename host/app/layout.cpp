// SPDX-License-Identifier: Apache-2.0
//
// Everything is relative to the executable, so that a tree can be moved as a whole. Start-up only.
#include "host/app/layout.h"

#include <system_error>

namespace host::app {

namespace fs = std::filesystem;

fs::path executable_file() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed);
}

fs::path plugin_directory_of(const fs::path& executable) {
  const auto bin = executable.parent_path();
  const auto usual = (bin / "../lib/sallyport/plugins").lexically_normal();
  // Systems with several architectures install into lib/<architecture>.
  const auto to_prefix = fs::path(".").lexically_relative(SALLYPORT_BINDIR);
  const auto installed = (bin / to_prefix / SALLYPORT_PLUGIN_INSTALL_DIR).lexically_normal();
  std::error_code failed;
  return !fs::exists(usual, failed) && fs::exists(installed, failed) ? installed : usual;
}

}  // namespace host::app
