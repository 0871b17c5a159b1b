// SPDX-License-Identifier: Apache-2.0
#include "host/app/settings.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "host/app/version.h"

namespace host::app {
namespace {

namespace fs = std::filesystem;

config::Config at(const fs::path& dir) {
  config::Config config;
  config.dir = dir;
  return config;
}

TEST(Settings, ProviderGetsItsSectionWithTheFileResolved) {
  auto config = at("/etc/sallyport");
  config.data_provider.name = "a.db";
  config.data_provider.pool_size = 3;
  config.plugins.provider["provider-sqlite"] = R"({"busy_timeout_ms": 5})";
  const auto options = store_options(config);
  ASSERT_TRUE(options);
  const auto json = nlohmann::json::parse(options->provider_config_json);
  EXPECT_EQ(json["name"], "/etc/sallyport/a.db");
  EXPECT_EQ(json["pool_size"], 3);
  EXPECT_EQ(json["busy_timeout_ms"], 5);
  EXPECT_EQ(options->driver, "sqlite");
}

TEST(Settings, ThoseThatNothingAsksForAreNamed) {
  auto config = at("/etc/sallyport");
  config.plugins.provider = {{"provider-sqlite", "{}"}, {"sqlite", "{}"}};
  config.plugins.authenticator = {{"auth-external", "{}"}, {"ldap", "{}"}, {"ldpa", "{}"}};
  config.plugins.authenticators = {"ldap"};
  config.plugins.notifier = {{"actions", "{}"}, {"mail", "{}"}};
  EXPECT_EQ(
      unused_settings(config),
      (std::vector<std::string>{"plugins.provider.sqlite has no effect: data_provider.driver asks for provider-sqlite",
                                "plugins.authenticator.ldpa has no effect: plugins.authenticators does not list it",
                                "plugins.notifier.mail has no effect: plugins.notifiers does not list it"}));
}

TEST(Settings, NamesAtServersAreNoFiles) {
  auto config = at("/etc/sallyport");
  config.data_provider.driver = "postgresql";
  config.data_provider.name = "users";
  EXPECT_EQ(nlohmann::json::parse(store_options(config)->provider_config_json)["name"], "users");
}

TEST(Settings, DatabaseFileNeedsAName) {
  for (const auto* name : {"", ".", ".."}) {
    auto config = at("/etc/sallyport");
    config.data_provider.name = name;
    EXPECT_FALSE(store_options(config)) << name;
  }
  auto config = at("/etc/sallyport");
  config.data_provider.name.clear();
  config.data_provider.driver = "memory";
  EXPECT_TRUE(store_options(config));
}

TEST(Settings, ServerGetsItsSection) {
  auto config = at("/etc/sallyport");
  config.sftpd.bind_port = 0;
  config.sftpd.banner = "  ";
  config.sftpd.umask = 077;
  config.sftpd.setstat_mode = 1;
  auto options = server_options(config);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->port, 0);
  EXPECT_EQ(options->software, default_software());
  EXPECT_EQ(options->sessions.vfs.umask, 077u);
  EXPECT_TRUE(options->sessions.vfs.ignore_setstat);
  EXPECT_EQ(options->sessions.proxy, ssh::SessionOptions::Proxy::kOff);
  config.sftpd.proxy_protocol = 2;
  config.sftpd.proxy_allowed = {"192.0.2.7", "10.0.0.0/8"};
  options = server_options(config);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->sessions.proxy, ssh::SessionOptions::Proxy::kRequired);
  EXPECT_EQ(options->sessions.proxies.size(), 2u);
  config.sftpd.banner = "Other_1";
  EXPECT_EQ(server_options(config)->software, "Other_1");
}

TEST(Settings, LoginBannerIsReadOrTold) {
  std::string pattern = (fs::temp_directory_path() / "settings_test_XXXXXX").string();
  const fs::path dir = ::mkdtemp(pattern.data());
  auto config = at(dir);
  config.sftpd.login_banner_file = "banner";
  const auto missing = server_options(config);
  ASSERT_FALSE(missing);
  EXPECT_NE(missing.error().text.find((dir / "banner").string()), std::string::npos);
  std::ofstream(dir / "banner") << "Welcome\n";
  EXPECT_EQ(server_options(config)->sessions.login_banner, "Welcome\n");
  std::ofstream(dir / "banner") << std::string(70000, 'x');
  EXPECT_FALSE(server_options(config));
  fs::remove_all(dir);
}

TEST(Settings, PluginsComeFromTheConfiguredDirectory) {
  auto config = at("/etc/sallyport");
  config.plugins.directory = "plugins";
  EXPECT_EQ(registry_options(config).directory, "/etc/sallyport/plugins");
  config.plugins.directory.clear();
  EXPECT_TRUE(registry_options(config).directory.is_absolute());
  config.plugins.storage["fs-x"] = "{}";
  EXPECT_EQ(storage_names(config), (std::vector<std::string>{"fs-local", "fs-x"}));
}

}  // namespace
}  // namespace host::app
