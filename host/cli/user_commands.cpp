// SPDX-License-Identifier: Apache-2.0
//
// `user ...`: accounts straight in the data provider, beside a running server or without one.
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "host/cli/commands.h"
#include "host/cli/context.h"
#include "host/cli/table.h"
#include "host/cli/user_fields_json.h"
#include "host/core/limits.h"
#include "host/users/public_json.h"
#include "host/vfs/session_fs.h"

namespace host::cli {
namespace {

struct UserFlags {
  ConfigFlags config;
  std::string name;
  UserFields fields;
  bool as_json = false;
};

std::string dump(const users::Json& json) {
  return json.dump(2, ' ', false, users::Json::error_handler_t::replace) + "\n";
}

core::Result<void> merge(users::User& user, const UserFlags& flags) {
  const auto json = to_json(flags.fields);
  if (!json) return json.error();
  // Records of databases and of clients of the replaced system may hold anything; who writes one by hand mistypes.
  if (auto known = users::check_members(*json); !known) return known;
  if (auto merged = users::merge_json(user, *json); !merged) return merged;
  if (user.username != flags.name) {
    return core::Error(core::Status::kInvalid,
                       "the JSON is about \"" + user.username + "\", not \"" + flags.name + "\"");
  }
  return core::ok();
}

// For commands that change something: the memory provider would forget it when this process ends.
core::Result<Accounts> open_to_change(const ConfigFlags& flags) {
  auto accounts = Accounts::open(flags);
  if (!accounts || accounts->config.data_provider.driver != "memory") return accounts;
  const auto& file = accounts->config.data_provider.name;
  const std::string advice = file.empty()
                                 ? "use its REST API"
                                 : "use its REST API for now, or edit " + accounts->config.resolve(file).string() +
                                       " (data_provider.name) and send it SIGHUP";
  return core::Error(core::Status::kUnsupported,
                     "data_provider.driver is memory: accounts are in the server's memory, where this command reaches "
                     "nothing; " +
                         advice);
}

int add(const UserFlags& flags) {
  users::User user;
  user.username = flags.name;
  user.status = 1;
  user.permissions[core::VirtualPath()] = users::kAll;
  if (auto merged = merge(user, flags); !merged) return fail(in_options(merged.error(), flags.fields));
  auto accounts = open_to_change(flags.config);
  if (!accounts) return fail(accounts.error());
  const auto added = accounts->store->add(std::move(user));
  if (!added) return fail(in_options(added.error(), flags.fields));
  std::cout << "user \"" << added->username << "\" was added, home directory " << added->home_dir << "\n";
  return EXIT_SUCCESS;
}

int update(const UserFlags& flags) {
  if (is_empty(flags.fields))
    return fail("nothing to change was given; `sallyport user update --help` lists the options");
  auto accounts = open_to_change(flags.config);
  if (!accounts) return fail(accounts.error());
  auto user = accounts->store->find(flags.name);
  if (!user) return fail(user.error());
  if (auto merged = merge(*user, flags); !merged) return fail(in_options(merged.error(), flags.fields));
  const auto updated = accounts->store->update(*user);
  if (!updated) return fail(in_options(updated.error(), flags.fields));
  std::cout << "user \"" << flags.name << "\" was updated\n";
  return EXIT_SUCCESS;
}

struct Everyone {
  std::vector<users::User> users;
  std::size_t unreadable = 0;
};

core::Result<Everyone> everyone(users::Store& store) {
  Everyone all;
  for (std::string after;;) {
    auto page = store.list_after(after, core::limits::kUsersPerPage);
    if (!page) return page.error();
    std::move(page->users.begin(), page->users.end(), std::back_inserter(all.users));
    all.unreadable += page->unreadable.size();
    if (page->last_name.empty()) return core::Result<Everyone>(boost::system::in_place_value, std::move(all));
    after = page->last_name;
  }
}

// What is printed is not all there is: whoever counts on it must notice.
int told(const Everyone& all) {
  if (all.unreadable == 0) return EXIT_SUCCESS;
  return fail(std::to_string(all.unreadable) + " accounts are missing, the lines above say why");
}

int list(const UserFlags& flags) {
  auto accounts = Accounts::open(flags.config);
  if (!accounts) return fail(accounts.error());
  auto all = everyone(*accounts->store);
  if (!all) return fail(all.error());
  if (flags.as_json) {
    auto array = users::Json::array();
    for (const auto& user : all->users) array.push_back(users::public_json(user, *accounts->registry));
    std::cout << dump(array);
    return told(*all);
  }
  std::vector<std::vector<std::string>> rows = {{"NAME", "STATUS", "EXPIRES", "STORAGE", "HOME"}};
  for (const auto& user : all->users) {
    rows.push_back({user.username, user.status == 1 ? "active" : "disabled", expiration_text(user.expiration_date),
                    user.filesystem.backend, user.home_dir});
  }
  std::cout << format_table(rows);
  return told(*all);
}

int show(const UserFlags& flags) {
  auto accounts = Accounts::open(flags.config);
  if (!accounts) return fail(accounts.error());
  auto user = accounts->store->find(flags.name);
  if (!user) return fail(user.error());
  std::cout << dump(users::public_json(*user, *accounts->registry));
  return EXIT_SUCCESS;
}

// What the account really holds becomes what it is said to hold.
int scan_quota(const UserFlags& flags) {
  auto accounts = open_to_change(flags.config);
  if (!accounts) return fail(accounts.error());
  auto user = accounts->store->find(flags.name);
  if (!user) return fail(user.error());
  vfs::Identity identity;
  identity.user = *user;
  vfs::Options options;
  options.make_home = false;  // a home that is not there holds nothing that could be counted
  options.master_keys = &accounts->store->master_keys();
  auto files = vfs::SessionFs::mount(*accounts->registry, std::move(identity), options);
  if (!files) return fail(files.error());
  const auto found = (*files)->scan_usage();
  if (!found) return fail(found.error());
  const users::Usage change{found->size - user->used_quota_size, found->files - user->used_quota_files};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto set = accounts->store->add_usage(flags.name, change,
                                              std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  if (!set) return fail(set.error());
  std::cout << "user \"" << flags.name << "\" holds " << found->files << " files with " << found->size << " bytes\n";
  return EXIT_SUCCESS;
}

int remove(const UserFlags& flags) {
  auto accounts = open_to_change(flags.config);
  if (!accounts) return fail(accounts.error());
  if (auto removed = accounts->store->remove(flags.name); !removed) return fail(removed.error());
  std::cout << "user \"" << flags.name << "\" was deleted; its files stay, and so do its sessions that are open\n";
  return EXIT_SUCCESS;
}

int reseal(const UserFlags& flags) {
  auto accounts = open_to_change(flags.config);
  if (!accounts) return fail(accounts.error());
  const auto done = accounts->store->reseal();
  if (!done) return fail(done.error());
  std::cout << done->changed << " accounts had secrets that are now encrypted under the first key of "
            << accounts->store->master_keys().source() << "\n";
  if (done->failed == 0) return EXIT_SUCCESS;
  std::cerr << done->failed << " accounts could not be read or changed; the lines above name them\n";
  return EXIT_FAILURE;
}

// The parser takes an empty word for no option at all, which the variable of a script was hardly meant for.
std::string refuse_no_number(const std::string& word) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool good = error == std::errc() && end == word.data() + word.size();
  return good ? "" : "found \"" + word + "\", allowed is a whole number";
}

void add_field_flags(CLI::App& command, UserFields& fields) {
  command.add_option("--home-dir", fields.home_dir, "home directory");
  auto* from_stdin = command.add_flag("--password-stdin", fields.password_stdin,
                                      "read the password from standard input, or ask on a terminal");
  command.add_option("--password-file", fields.password_file, "read the password from the first line of a file")
      ->excludes(from_stdin);
  command
      .add_option("--public-key", fields.public_keys,
                  "public key as in authorized_keys; may be repeated; the keys of before go")
      ->allow_extra_args(false);
  command
      .add_option("--public-key-file", fields.public_key_files,
                  "file with public keys; may be repeated; the keys of before go")
      ->allow_extra_args(false);
  command
      .add_option("--permissions", fields.permissions,
                  "rights in a directory, such as /=list,download; may be repeated; the rights of before go")
      ->allow_extra_args(false);
  command.add_option("--uid", fields.uid, "owner of what is created")->check(refuse_no_number);
  command.add_option("--gid", fields.gid, "group of what is created")->check(refuse_no_number);
  command.add_option("--status", fields.status, "1: active, 0: disabled")->check(refuse_no_number);
  command.add_option("--expiration-date", fields.expiration_date, "YYYY-MM-DD, empty: never");
  command.add_option("--json", fields.json_file, "file with further members of the account, - for standard input");
}

}  // namespace

void add_user_commands(Commands& commands) {
  auto& group = commands.add_group("user", "manage accounts");
  const auto add_command = [&](const char* name, const char* description, int (*action)(const UserFlags&)) -> auto{
    auto flags = std::make_shared<UserFlags>();
    auto& command = commands.add(group, name, description, [flags, action] { return action(*flags); });
    flags->config.add_to(command);
    return std::pair<CLI::App&, UserFlags&>(command, *flags);
  };
  const auto with_name = [](std::pair<CLI::App&, UserFlags&> command) {
    command.first.add_option("NAME", command.second.name, "user name")->required();
    return command;
  };
  for (auto command : {with_name(add_command("add", "add an account", add)),
                       with_name(add_command("update", "change what is given, leave the rest", update))}) {
    add_field_flags(command.first, command.second.fields);
  }
  auto listing = add_command("list", "list accounts", list);
  listing.first.add_flag("--json", listing.second.as_json, "as a JSON array, without secrets");
  with_name(add_command("show", "show an account as JSON, without secrets", show));
  with_name(add_command("scan-quota", "count the files of an account anew", scan_quota));
  add_command("reseal", "encrypt the storage secrets of all accounts under the current master key", reseal);
  with_name(add_command("delete", "delete an account; files stay", remove));
}

}  // namespace host::cli
