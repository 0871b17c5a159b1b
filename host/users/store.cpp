// SPDX-License-Identifier: Apache-2.0
//
// Accounts over one provider plugin: validation on the way in, tolerant reading on the way out, nothing cached. Worker
// threads; the provider does its own locking. Must not know which provider it is.
#include "host/users/store.h"

#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/users/bounded_json.h"
#include "host/users/filesystem_json.h"
#include "host/users/password.h"
#include "host/users/record.h"
#include "host/users/secrets.h"
#include "host/users/validate.h"

namespace host::users {
namespace {

core::Error disabled(std::string_view what) {
  return {core::Status::kDenied,
          "Method disabled error: " + std::string(what) + " is off, data_provider.manage_users is 0"};
}

core::Result<std::unique_ptr<plugin::Provider>> make(plugin::Registry& registry, const StoreOptions& options) {
  auto provider = registry.make_provider("provider-" + options.driver, options.provider_config_json);
  if (provider) return provider;
  return core::Error(provider.error().status,
                     "data_provider.driver \"" + options.driver + "\": " + provider.error().message());
}

// Of a record that may be damaged otherwise.
std::string name_in(std::string_view record) {
  const Json json = Json::parse(record, nullptr, false);
  const auto name = json.is_object() ? json.find("username") : json.end();
  return name != json.end() && name->is_string() ? name->get<std::string>() : std::string();
}

bool has_no_settings(const Filesystem& filesystem) {
  return filesystem.backend == "fs-local" && filesystem.settings_json == "{}";
}

// Empty ones say what missing ones say, and the order of members nothing.
bool same_settings(Filesystem a, Filesystem b) {
  if (a.backend != b.backend) return false;
  const auto members = [](Filesystem& filesystem) {
    drop_empty_settings(filesystem);
    return nlohmann::json::parse(filesystem.settings_json, nullptr, false);
  };
  const auto of_a = members(a), of_b = members(b);
  return of_a.is_object() && of_a == of_b;
}

// Is `given` what the stored hash was made from? Costs what another hash of it would.
bool is_stored_password(const std::string& given, const std::string& stored) {
  return !given.empty() && !is_password_hash(given) && is_own_hash(stored) && verify_password(stored, given);
}

}  // namespace

struct Store::Impl {
  StoreOptions options;
  plugin::Registry& registry;
  std::unique_ptr<plugin::Provider> provider;
  std::unique_ptr<MasterKeys> master_keys;

  core::Result<void> check(User& user, const User* stored);
  core::Result<void> check_settings(User& user, const User* stored);
  core::Result<std::string> encode(const User& user, RecordKind kind);
};

// Everything between a caller's user and a record that may be stored. `stored` is the account that it changes, or null.
core::Result<void> Store::Impl::check(User& user, const User* stored) {
  if (auto done = validate(user, options.users_base_dir); !done) return done;
  for (const auto& oddity : oddities(user)) {
    core::log::warn("dataProvider", "", "user \"" + user.username + "\": " + oddity);
  }
  if (!has_no_settings(user.filesystem)) {
    if (auto done = check_settings(user, stored); !done) return done;
  }
  if (!user.password.empty() && !is_password_hash(user.password)) {
    auto hash = hash_password(user.password);
    if (!hash) return hash.error().status == core::Status::kInvalid ? invalid(hash.error().text) : hash.error();
    user.password = std::move(*hash);
  }
  return core::ok();
}

core::Result<void> Store::Impl::check_settings(User& user, const User* stored) {
  auto& filesystem = user.filesystem;
  if (stored != nullptr && stored->filesystem.backend == filesystem.backend) {
    auto kept =
        registry.keep_user_secrets(filesystem.backend, stored->filesystem.settings_json, filesystem.settings_json);
    if (kept) filesystem.settings_json = std::move(*kept);
  }
  if (stored != nullptr && same_settings(filesystem, stored->filesystem)) {
    // Whatever is wrong with them by now, the account can be disabled. Nothing new is to be encrypted.
    filesystem = stored->filesystem;
    if (const auto sealed = seal_secrets(user, registry, *master_keys); !sealed) {
      core::log::warn("dataProvider", "",
                      "user \"" + user.username + "\": secrets stay as they are stored: " + sealed.error().text);
    }
    return core::ok();
  }
  drop_empty_settings(filesystem);
  auto settings = registry.check_user_settings(filesystem.backend, filesystem.settings_json);
  if (!settings) return invalid("filesystem " + filesystem.backend + ": " + settings.error().message());
  filesystem.settings_json = std::move(*settings);
  return seal_secrets(user, registry, *master_keys);
}

core::Result<std::string> Store::Impl::encode(const User& user, RecordKind kind) {
  try {
    std::string text = to_record(user, kind).dump();
    if (text.size() > core::limits::kMaxUserRecordBytes) return invalid("the user has more than 1 MiB of data");
    return text;
  } catch (const Json::exception&) {
    return invalid("a text of the user is not UTF-8");
  }
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

core::Result<std::unique_ptr<Store>> Store::open(plugin::Registry& registry, const StoreOptions& options) {
  auto keys = MasterKeys::open(options.master_keys);
  if (!keys) return keys.error();
  auto provider = make(registry, options);
  if (!provider) return provider.error();
  auto prepared = (*provider)->prepare(collections_json(options.users_table), plugin::Provider::Prepare::kOpen);
  if (!prepared) return prepared.error();
  if (*prepared)
    core::log::info("dataProvider", "", "data provider " + options.driver + ": the tables were brought up to date");
  std::unique_ptr<Store> store(
      new Store(std::unique_ptr<Impl>(new Impl{options, registry, std::move(*provider), std::move(*keys)})));
  store->master_keys().ask_before_making([raw = store.get()] { return raw->sealed_accounts(); });
  return store;
}

core::Result<Store::Looked> Store::look(plugin::Registry& registry, const StoreOptions& options) {
  auto provider = make(registry, options);
  if (!provider) return provider.error();
  const auto old = (*provider)->prepare(collections_json(options.users_table), plugin::Provider::Prepare::kLook);
  if (!old) return old.error();
  if (auto readable = (*provider)->check(); !readable) return readable.error();
  if (*old) return Looked{true, {}, {}};
  Store store(std::unique_ptr<Impl>(new Impl{options, registry, std::move(*provider), nullptr}));
  Looked looked{false, {}, {}};
  auto accounts = store.each([&](const User& user) {
    const auto& [backend, settings] = user.filesystem;
    if (has_no_settings(user.filesystem) || !registry.load(backend)) return;  // a plugin is told of once
    if (const auto good = registry.check_user_settings(backend, settings); !good)
      looked.wrong_settings.push_back("user \"" + user.username + "\": its settings are refused: filesystem " +
                                      backend + ": " + good.error().message());
  });
  if (!accounts) return accounts.error();
  looked.accounts = std::move(*accounts);
  return looked;
}

core::Result<bool> Store::initialise(plugin::Registry& registry, const StoreOptions& options) {
  auto provider = make(registry, options);
  if (!provider) return provider.error();
  auto prepared = (*provider)->prepare(collections_json(options.users_table), plugin::Provider::Prepare::kCreate);
  if (!prepared) return prepared.error();
  return *prepared;
}

core::Result<User> Store::find(std::string_view username) {
  if (username.empty() || core::VirtualPath::has_nul(username))
    return core::Error(core::Status::kNotFound, "no such user");
  auto record = impl_->provider->get(kUsersCollection, username);
  if (!record) return record.error();
  auto user = from_record(*record);
  // A database that compares without regard to case must not let "Ada" in as "ada".
  if (user && user->username != username) return core::Error(core::Status::kNotFound, "no such user");
  return user;
}

core::Result<User> Store::find_id(std::int64_t id) {
  const Json query = {{"collection", kUsersCollection}, {"limit", 1}, {"where", {{"id", id}}}};
  core::Result<User> found = core::Error(core::Status::kNotFound, "no such user");
  auto done = impl_->provider->list(query.dump(), [&](std::string_view record) -> core::Result<void> {
    found = from_record(record);
    return core::ok();
  });
  if (!done) return done.error();
  return found;
}

core::Result<std::vector<User>> Store::list(std::size_t limit, std::size_t offset, bool descending) {
  const Json query = {
      {"collection", kUsersCollection}, {"order", descending ? "desc" : "asc"}, {"limit", limit}, {"offset", offset}};
  std::vector<User> users;
  auto done = impl_->provider->list(query.dump(), [&](std::string_view record) -> core::Result<void> {
    auto user = from_record(record);
    if (!user) {
      // One bad record must not hide the others.
      core::log::error("dataProvider", "", user.error().message());
      return core::ok();
    }
    users.push_back(std::move(*user));
    return core::ok();
  });
  if (!done) return done.error();
  return users;
}

core::Result<Store::Page> Store::list_after(std::string_view after, std::size_t limit) {
  Json query = {{"collection", kUsersCollection}, {"limit", limit}};
  if (!after.empty()) query["after"] = after;
  Page page;
  auto done = impl_->provider->list(query.dump(-1, ' ', false, Json::error_handler_t::replace),
                                    [&](std::string_view record) -> core::Result<void> {
                                      page.last_name = name_in(record);
                                      auto user = from_record(record);
                                      if (has_own_secrets(user ? user->filesystem.settings_json : record))
                                        page.sealed.push_back(page.last_name);
                                      if (user) {
                                        page.users.push_back(std::move(*user));
                                      } else {
                                        core::log::error("dataProvider", "", user.error().message());
                                        page.unreadable.push_back(page.last_name);
                                      }
                                      return core::ok();
                                    });
  if (!done) return done.error();
  return page;
}

core::Result<User> Store::add(User user) {
  if (!impl_->options.manage_users) return disabled("adding users");
  if (auto done = impl_->check(user, nullptr); !done) return done.error();
  user.used_quota_size = user.used_quota_files = user.last_quota_update = user.last_login = 0;
  auto record = impl_->encode(user, RecordKind::kNew);
  if (!record) return record.error();
  if (auto done = impl_->provider->put(kUsersCollection, user.username, plugin::Provider::Put::kInsert, *record);
      !done) {
    if (done.error().status != core::Status::kExists) return done.error();
    return core::Error(core::Status::kExists, "username " + user.username + " already exists");
  }
  return find(user.username);
}

core::Result<User> Store::update(const User& user) {
  if (!impl_->options.manage_users) return disabled("changing users");
  User changed = user;
  const auto stored = has_no_settings(user.filesystem) ? core::Error(core::Status::kNotFound) : find(user.username);
  if (auto done = impl_->check(changed, stored ? &*stored : nullptr); !done) return done.error();
  auto record = impl_->encode(changed, RecordKind::kChange);
  if (!record) return record.error();
  if (auto done = impl_->provider->put(kUsersCollection, user.username, plugin::Provider::Put::kUpdate, *record); !done)
    return done.error();
  return find(user.username);
}

core::Result<User> Store::accept(std::string_view username, std::string_view user_json) {
  const Json json = parse_bounded(user_json);
  if (!json.is_object()) return invalid("the answer is not a JSON object");
  auto stored = find(username);
  if (!stored && stored.error().status != core::Status::kNotFound) return stored;
  const bool whole = json.contains("username");
  if (!whole && !stored) return stored;
  User user = whole ? User() : *stored;
  if (auto merged = merge_json(user, json); !merged) return merged.error();
  if (user.username != username) return invalid("the answer is about another user");
  warn_of_unknown_members("dataProvider", user.username, json);
  // A new salt would make another account of it at each login.
  if (stored && is_stored_password(user.password, stored->password)) user.password = stored->password;
  if (auto done = impl_->check(user, stored ? &*stored : nullptr); !done) return done.error();
  const auto put = [&](RecordKind kind, plugin::Provider::Put mode) -> core::Result<void> {
    auto record = impl_->encode(user, kind);
    if (!record) return record.error();
    return impl_->provider->put(kUsersCollection, username, mode, *record);
  };
  core::Result<void> done = core::ok();
  if (stored) {
    // Most logins change nothing, and writes wait for each other.
    const auto before = impl_->encode(*stored, RecordKind::kChange), after = impl_->encode(user, RecordKind::kChange);
    if (before && after && *before == *after) return stored;
  } else {
    user.used_quota_size = user.used_quota_files = user.last_quota_update = user.last_login = 0;
    done = put(RecordKind::kNew, plugin::Provider::Put::kInsert);
  }
  // Another login may have added it meanwhile.
  if (stored || (!done && done.error().status == core::Status::kExists))
    done = put(RecordKind::kChange, plugin::Provider::Put::kUpdate);
  if (!done) return done.error();
  return find(username);
}

core::Result<void> Store::remove(std::string_view username) {
  if (!impl_->options.manage_users) return disabled("deleting users");
  return impl_->provider->remove(kUsersCollection, username);
}

core::Result<void> Store::note_login(std::string_view username, std::int64_t now_ms) {
  if (!impl_->options.manage_users) return disabled("recording logins");
  return impl_->provider->put(kUsersCollection, username, plugin::Provider::Put::kUpdate,
                              Json{{"last_login", now_ms}}.dump());
}

core::Result<Usage> Store::usage(std::string_view username) {
  auto user = find(username);
  if (!user) return user.error();
  return Usage{user->used_quota_size, user->used_quota_files};
}

core::Result<void> Store::add_usage(std::string_view username, const Usage& change, std::int64_t now_ms) {
  if (!impl_->options.manage_users) return disabled("counting usage");
  auto added = impl_->provider->add(kUsersCollection, username,
                                    {{"used_quota_size", change.size}, {"used_quota_files", change.files}});
  if (!added) return added;
  const auto noted = impl_->provider->put(kUsersCollection, username, plugin::Provider::Put::kUpdate,
                                          Json{{"last_quota_update", now_ms}}.dump());
  // A failure would have the caller add the same again.
  if (!noted)
    core::log::warn(
        "dataProvider", "",
        "user \"" + std::string(username) + "\": used space is counted, but not when: " + noted.error().message());
  return core::ok();
}

bool Store::wants_upgrade(std::string_view hash) const {
  return impl_->options.upgrade_password_hashes && impl_->options.manage_users && !is_own_hash(hash);
}

core::Result<void> Store::upgrade_password(std::string_view username, std::string_view old_hash,
                                           std::string_view plain) {
  auto hash = hash_password(plain);
  if (!hash) return hash.error();
  const auto user = find(username);
  if (!user) return user.error();
  if (user->password != old_hash) return core::ok();
  return impl_->provider->put(kUsersCollection, username, plugin::Provider::Put::kUpdate,
                              Json{{"password", *hash}}.dump());
}

core::Result<Store::Resealed> Store::reseal() {
  if (!impl_->options.manage_users) return disabled("changing users");
  Resealed done;
  const auto listed = each_page([&](const Page& page) {
    for (const auto& user : page.users) {
      const auto changed = reseal_one(user.username);
      if (changed) {
        done.changed += *changed ? 1 : 0;
        continue;
      }
      core::log::warn("dataProvider", "",
                      "the secrets of user \"" + user.username + "\" stay as they are: " + changed.error().message());
      ++done.failed;
    }
    done.failed += page.unreadable.size();
  });
  if (!listed) return listed.error();
  return done;
}

// As it is now: the page it was listed on may be old.
core::Result<bool> Store::reseal_one(const std::string& username) {
  auto user = find(username);
  if (!user) return user.error().status == core::Status::kNotFound ? core::Result<bool>(false) : user.error();
  const auto before = user->filesystem.settings_json;
  if (auto plain = plain_settings(*user, impl_->registry, impl_->master_keys.get()); !plain) return plain.error();
  if (auto sealed = seal_secrets(*user, impl_->registry, *impl_->master_keys); !sealed) return sealed.error();
  if (user->filesystem.settings_json == before) return false;
  const auto filesystem = filesystem_to_json(user->filesystem, Secrets::kKeep);
  auto put = impl_->provider->put(kUsersCollection, username, plugin::Provider::Put::kUpdate,
                                  Json{{"filesystem", filesystem}}.dump());
  if (!put) return put.error();
  return true;
}

MasterKeys& Store::master_keys() { return *impl_->master_keys; }

core::Result<void> Store::check() { return impl_->provider->check(); }

core::Result<void> Store::reload() { return impl_->provider->reload(); }

}  // namespace host::users
