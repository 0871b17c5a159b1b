// SPDX-License-Identifier: Apache-2.0
//
// What concerns all accounts of a store: page by page, each account once. Blocks as the store does.
#include "host/core/limits.h"
#include "host/users/store.h"

namespace host::users {
namespace {

constexpr std::size_t kNamedAccounts = 5;  // in a message

}  // namespace

core::Result<void> Store::each_page(const std::function<void(const Page&)>& take) {
  for (std::string after;;) {
    const auto page = list_after(after, core::limits::kUsersPerPage);
    if (!page) return page.error();
    take(*page);
    if (page->last_name.empty()) return core::ok();
    after = page->last_name;
  }
}

core::Result<Store::Count> Store::each(const std::function<void(const User&)>& take) {
  Count count;
  const auto done = each_page([&](const Page& page) {
    count.readable += page.users.size();
    count.unreadable += page.unreadable.size();
    for (const auto& user : page.users) {
      count.storages.insert(user.filesystem.backend);
      take(user);
    }
  });
  if (!done) return done.error();
  return count;
}

core::Result<Store::Count> Store::count() {
  return each([](const User&) {});
}

core::Result<std::string> Store::sealed_accounts() {
  std::size_t count = 0;
  std::string names;
  const auto done = each_page([&](const Page& page) {
    for (const auto& name : page.sealed) {
      if (++count <= kNamedAccounts) names += (count == 1 ? "" : ", ") + name;
    }
  });
  if (!done) return done.error();
  if (count == 0) return std::string();
  if (count > kNamedAccounts) names += " and " + std::to_string(count - kNamedAccounts) + " more";
  return std::to_string(count) + (count == 1 ? " account (" : " accounts (") + names + ")";
}

}  // namespace host::users
