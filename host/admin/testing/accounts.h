// SPDX-License-Identifier: Apache-2.0
//
// A registry with the real plugins, a fresh account store and its quotas in a private directory, for tests.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "host/plugin/registry.h"
#include "host/users/store.h"
#include "host/vfs/quota.h"

namespace host::admin::testing {

struct Accounts {
  explicit Accounts(const std::string& driver, bool manage_users = true) {
    std::string pattern = (std::filesystem::temp_directory_path() / "admin-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    plugin::RegistryOptions plugins;
    plugins.directory = PLUGIN_DIRECTORY;
    registry = std::make_unique<plugin::Registry>(std::move(plugins));
    users::StoreOptions options;
    options.driver = driver;
    options.manage_users = manage_users;
    if (driver == "sqlite") {
      options.provider_config_json = R"({"name": ")" + (directory / "users.db").string() + R"("})";
      EXPECT_TRUE(users::Store::initialise(*registry, options));
    }
    auto opened = users::Store::open(*registry, options);
    EXPECT_TRUE(opened);
    store = std::move(*opened);
    quotas = std::make_unique<vfs::Quotas>(
        vfs::UsageStore{.read = [this](std::string_view name) { return store->usage(name); },
                        .add = [this](std::string_view name,
                                      const users::Usage& change) { return store->add_usage(name, change, 1); }},
        vfs::Quotas::Track::kEverybody);
  }
  ~Accounts() {
    quotas.reset();
    store.reset();
    registry.reset();
    std::filesystem::remove_all(directory);
  }
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;

  // An account that may do everything in a home of its own, which exists.
  users::User add(const std::string& name, std::int64_t quota_files = 0) {
    users::User user;
    user.username = name;
    user.status = 1;
    user.password = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";
    user.home_dir = (directory / name).string();
    user.quota_files = quota_files;
    user.permissions[core::VirtualPath()] = users::kAll;
    std::filesystem::create_directories(user.home_dir);
    auto added = store->add(user);
    EXPECT_TRUE(added) << added.error().text;
    return *added;
  }

  // What another program may do to the database.
  void sql(const std::string& text) const {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open((directory / "users.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  std::filesystem::path directory;
  std::unique_ptr<plugin::Registry> registry;
  std::unique_ptr<users::Store> store;
  std::unique_ptr<vfs::Quotas> quotas;
};

}  // namespace host::admin::testing
