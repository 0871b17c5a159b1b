// SPDX-License-Identifier: Apache-2.0
//
// On the thread of the service that asks. The text is read through twice, first for its form, so that a torn file
// changes nothing; accounts come out of it one by one, because as values all of them would take many times its size.
#include "host/admin/restore.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/users/bounded_json.h"
#include "host/users/user_json.h"

namespace host::admin {
namespace {

using core::Error;
using core::Result;
using core::Status;
using users::Json;
using Event = Json::parse_event_t;

constexpr std::size_t kProgressEvery = 1000;  // accounts
constexpr std::size_t kReadBytes = 1024 * 1024;
// In a row. A locked database lets each account wait, so going on with thousands would take days.
constexpr std::size_t kMaxFailures = 5;

Error invalid(const std::filesystem::path& file, const std::string& what) {
  return {Status::kInvalid, file.string() + what};
}

Error unreadable(const std::filesystem::path& file) {
  return {Status::kInvalid, "cannot read " + file.string() + ": " + std::system_category().message(errno)};
}

Result<std::string> read_open_file(int fd, const std::filesystem::path& file) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return unreadable(file);
  if (!S_ISREG(info.st_mode)) return invalid(file, " is not a regular file");
  std::string text;
  text.reserve(std::min(static_cast<std::size_t>(info.st_size), core::limits::kMaxBackupBytes) + kReadBytes);
  for (;;) {
    const auto have = text.size();
    text.resize(have + kReadBytes);
    const auto got = ::read(fd, text.data() + have, kReadBytes);
    if (got < 0) return unreadable(file);
    text.resize(have + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > core::limits::kMaxBackupBytes)
      return invalid(file, " has more than " + std::to_string(core::limits::kMaxBackupBytes) + " bytes");
  }
}

Result<std::string> read_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hold us
  if (fd < 0) return unreadable(file);
  auto text = read_open_file(fd, file);
  ::close(fd);
  return text;
}

struct EnoughRead {};

// Lines and columns from 1, as editors count; so the JSON library counts bytes.
std::string place(std::string_view text, std::size_t byte) {
  const auto before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const auto line_start = before.rfind('\n') + 1;  // 0 in the first line
  return "line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) + ", column " +
         std::to_string(before.size() - line_start + 1);
}

// Calls `entry` with each entry of the list "users" until it says no, and keeps none. Null is what the replaced system
// writes for a list of nobody. What is wrong with the text as a whole, or "".
std::string each_user(const std::string& text, const std::function<bool(const Json&)>& entry) {
  bool is_object = false, of_users = false, in_list = false, is_list = true, has_list = false;
  const auto look = [&](int depth, Event event, Json& value) {
    const bool ends = event == Event::object_end || event == Event::array_end || event == Event::value;
    if (depth == 0) {
      is_object = is_object || event == Event::object_start;
    } else if (depth == 1 && event == Event::key) {
      of_users = value == "users";
      has_list = has_list || of_users;
    } else if (depth == 1 && of_users) {
      in_list = event == Event::array_start;
      is_list = is_list && (event == Event::array_start || event == Event::array_end || value.is_null());
    } else if (depth == 2 && in_list && ends) {
      if (!entry(value)) throw EnoughRead();  // the parser ends for nothing else
    }
    if (depth < 2) return depth == 0 || of_users;
    return in_list && !(depth == 2 && ends);
  };
  try {
    [[maybe_unused]] const auto rest = Json::parse(text, look);
  } catch (const EnoughRead&) {
    return "";
  } catch (const Json::parse_error& mistake) {  // its own text may show a part of a password
    const bool cut = mistake.byte > text.size();
    return (cut ? " ends too early at " : " is not valid JSON at ") + place(text, mistake.byte);
  }
  if (!is_object) return " is JSON, but not an object";
  if (!is_list) return ": its member \"users\" is not a list";
  return has_list ? "" : " holds no accounts: it has no list \"users\"";
}

// Of the whole text, before anything of it is taken.
std::string why_no_backup(const std::string& text) {
  if (text.empty()) return " is empty";
  if (users::nests_too_deep(text)) return " has more than " + std::to_string(users::kMaxNesting) + " levels of nesting";
  return each_user(text, [](const Json&) { return true; });
}

std::string name_in(const Json& user) {
  const auto name = user.is_object() ? user.find("username") : user.end();
  return name != user.end() && name->is_string() ? name->get<std::string>() : std::string();
}

class Restore {
 public:
  Restore(users::Store& store, RestoreMode mode, const std::function<void(const users::User&, bool)>& taken)
      : store_(store), mode_(mode), taken_(taken) {}

  void take(const Json& json) {
    users::User user;
    const auto read = users::merge_json(user, json);
    if (!read) {
      failures_ = 0;
      return refuse(name_in(json), read.error());
    }
    auto known = store_.find(user.username);
    if (!known && known.error().status != Status::kNotFound) return fail(user.username, known.error());
    if (known && mode_ == RestoreMode::kSkipExisting) {
      failures_ = 0;
      ++summary.skipped;
      return;
    }
    const std::string name = user.username;
    if (told_ < core::limits::kMaxRefusalsTold && !users::check_members(json)) {
      ++told_;
      users::warn_of_unknown_members("backup", name, json);
    }
    auto stored = known ? store_.update(user) : store_.add(std::move(user));
    if (!stored) return fail(name, stored.error());
    failures_ = 0;
    ++(known ? summary.updated : summary.added);
    taken_(*stored, !known);
  }

  RestoreSummary summary;

 private:
  void refuse(const std::string& username, const Error& reason) {
    ++summary.refused;
    if (summary.refusals.size() < core::limits::kMaxRefusalsTold) summary.refusals.push_back({username, reason});
  }

  // Because of the account or the provider.
  void fail(const std::string& username, const Error& reason) {
    refuse(username, reason);
    const bool of_account = reason.status == Status::kInvalid || reason.status == Status::kDenied ||
                            reason.status == Status::kExists || reason.status == Status::kNotFound;
    failures_ = of_account ? 0 : failures_ + 1;
    if (failures_ >= kMaxFailures) summary.ended = reason;
  }

  users::Store& store_;
  const RestoreMode mode_;
  const std::function<void(const users::User&, bool)>& taken_;
  std::size_t told_ = 0;      // accounts with members that mean nothing
  std::size_t failures_ = 0;  // of the provider, in a row
};

}  // namespace

Result<RestoreSummary> read_backup(users::Store& store, const std::filesystem::path& file, RestoreMode mode,
                                   const std::function<bool()>& going_on,
                                   const std::function<void(const users::User&, bool is_new)>& taken) {
  const auto text = read_file(file);
  if (!text) return text.error();
  if (const auto why = why_no_backup(*text); !why.empty())
    return invalid(file, why + "; wanted is what dumpdata writes, a JSON object with a list \"users\"");
  Restore restore(store, mode, taken);
  each_user(*text, [&](const Json& user) {
    auto& summary = restore.summary;
    if (!going_on()) {
      summary.ended = Error(Status::kBusy, "the server stops");
      return false;
    }
    restore.take(user);
    if (summary.seen() % kProgressEvery == 0) {
      core::log::info("backup", "", std::to_string(summary.seen()) + " users read from " + file.string() + " so far");
    }
    return summary.ended.status == Status::kOk;
  });
  return std::move(restore.summary);
}

std::string to_json(const RestoreSummary& summary) {
  Json refusals = Json::array();
  for (const auto& refusal : summary.refusals) {
    refusals.push_back({{"username", refusal.username}, {"reason", refusal.reason.message()}});
  }
  const Json json = {{"added", summary.added},
                     {"updated", summary.updated},
                     {"skipped", summary.skipped},
                     {"refused", summary.refused},
                     {"refusals", std::move(refusals)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace host::admin
