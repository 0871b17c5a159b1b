// SPDX-License-Identifier: Apache-2.0
#include "host/app/layout.h"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace host::app {
namespace {

namespace fs = std::filesystem;

TEST(Layout, ExecutableIsThisProgram) { EXPECT_EQ(executable_file().filename(), "host_app_test"); }

TEST(Layout, PluginsAreBesideTheExecutable) {
  std::string pattern = (fs::temp_directory_path() / "layout_test_XXXXXX").string();
  const fs::path root = ::mkdtemp(pattern.data());
  const auto usual = root / "lib/sallyport/plugins";
  EXPECT_EQ(plugin_directory_of(root / "bin/sallyport"), usual);
  fs::create_directories(root / SALLYPORT_PLUGIN_INSTALL_DIR);
  EXPECT_EQ(plugin_directory_of(root / "bin/sallyport"), root / SALLYPORT_PLUGIN_INSTALL_DIR);
  fs::create_directories(usual);
  EXPECT_EQ(plugin_directory_of(root / "bin/sallyport"), usual);
  fs::remove_all(root);
}

}  // namespace
}  // namespace host::app
