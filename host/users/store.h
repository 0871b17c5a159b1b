// SPDX-License-Identifier: Apache-2.0
//
// Accounts over a provider plugin. Every call may block. Validation happens here, whoever the caller is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.h"
#include "host/plugin/registry.h"
#include "host/users/master_keys.h"
#include "host/users/user.h"

namespace host::users {

struct StoreOptions {
  std::string driver = "sqlite";            // loads provider-<driver>
  std::string provider_config_json = "{}";  // the data_provider section in the plugin's terms
  std::string users_table = "users";
  std::string users_base_dir;
  bool manage_users = true;
  bool upgrade_password_hashes = false;
  MasterKeyOptions master_keys;  // for storages' secrets
};

class Store {
 public:
  // Opens the store; kNotFound with advice when it is not initialised. [setup]
  static core::Result<std::unique_ptr<Store>> open(plugin::Registry& registry, const StoreOptions& options);
  // Would open find its records? Changes and makes nothing. [setup]
  struct Looked;
  static core::Result<Looked> look(plugin::Registry& registry, const StoreOptions& options);
  // Creates what is missing; true when something was created (`initprovider`). [setup]
  static core::Result<bool> initialise(plugin::Registry& registry, const StoreOptions& options);
  ~Store();

  core::Result<User> find(std::string_view username);
  core::Result<User> find_id(std::int64_t id);
  core::Result<std::vector<User>> list(std::size_t limit, std::size_t offset, bool descending);
  // The accounts behind `after` in the order of their names; "" for the first. What others add or delete between two
  // pages moves nothing.
  struct Page {
    std::vector<User> users;
    std::vector<std::string> unreadable;  // names of records that are no accounts; the log says why
    std::vector<std::string> sealed;      // whose secrets lie under a master key; unreadable ones, too
    std::string last_name;                // of the page; empty when nothing was left
  };
  core::Result<Page> list_after(std::string_view after, std::size_t limit);
  // Of all accounts. What cannot be read is named in the log.
  struct Count {
    std::size_t readable = 0, unreadable = 0;
    std::set<std::string> storages;  // of those that are readable
  };
  core::Result<Count> count();
  core::Result<User> add(User user);  // hashes a plain password; returns what was stored
  // By username. Counters and last_login are left alone, and so are secrets that are empty or as they were shown.
  core::Result<User> update(const User& user);
  // Encrypts all secrets that are not under the current master key anew. Accounts that cannot be are named in the log.
  struct Resealed {
    std::size_t changed = 0, failed = 0;
  };
  core::Result<Resealed> reseal();
  // What an authenticator says about an account: with "username" in it all of the account, which is added when it is
  // not there yet, else changes. Whatever manage_users says; counters and last_login are left alone.
  core::Result<User> accept(std::string_view username, std::string_view user_json);
  core::Result<void> remove(std::string_view username);
  core::Result<void> note_login(std::string_view username, std::int64_t now_ms);
  // Quota counters: as stored, and changed by an atomic addition.
  core::Result<Usage> usage(std::string_view username);
  core::Result<void> add_usage(std::string_view username, const Usage& change, std::int64_t now_ms);
  // Is upgrade_password called for: asked for, allowed, and the hash not of the kind that hash_password makes?
  bool wants_upgrade(std::string_view hash) const;
  // Replaces `old_hash`, unless the account has another one by now, by one of `plain`.
  core::Result<void> upgrade_password(std::string_view username, std::string_view old_hash, std::string_view plain);
  core::Result<void> check();
  core::Result<void> reload();
  // What opens accounts' secrets again (secrets.h). Lives as long as the store.
  MasterKeys& master_keys();

 private:
  struct Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  core::Result<bool> reseal_one(const std::string& username);  // true: something changed
  core::Result<void> each_page(const std::function<void(const Page&)>& take);
  core::Result<Count> each(const std::function<void(const User&)>& take);
  core::Result<std::string> sealed_accounts();  // in words; empty: none
  std::unique_ptr<Impl> impl_;
};

struct Store::Looked {
  bool old_tables;                          // open would bring them up to date
  Count accounts;                           // none are counted in old tables
  std::vector<std::string> wrong_settings;  // of storages: whose, and what is wrong
};

}  // namespace host::users
