// SPDX-License-Identifier: Apache-2.0
//
// Dump and restore. On the thread of the service that asks. Accounts are dumped page by page, so that memory does not
// grow with their number; a restore is bounded by the size of its file.
#include "host/admin/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
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

constexpr int kProgressEvery = 1000;  // accounts

Error failed(const std::string& what, const std::filesystem::path& file) {
  const int number = errno;
  return {Status::kIo, what + " " + file.string() + ": " + std::system_category().message(number), number};
}

// A file under a name of its own until it is whole.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path target)
      : target_(std::move(target)),
        temporary_(target_.string() + ".XXXXXX"),
        fd_(::mkostemp(temporary_.data(), O_CLOEXEC)) {}
  ~NewFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  bool is_open() const { return fd_ >= 0; }
  Result<void> write(std::string_view text) {
    while (!text.empty()) {
      const auto written = ::write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("cannot write", target_);
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return core::ok();
  }
  Result<void> publish() {
    if (::fsync(fd_) != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) return failed("cannot write", target_);
    ::close(fd_);
    fd_ = -1;
    return core::ok();
  }

 private:
  const std::filesystem::path target_;
  std::string temporary_;
  int fd_;  // mkostemp makes it 0600
};

Result<void> make_directories(const std::filesystem::path& directory) {
  std::filesystem::path so_far;
  for (const auto& part : directory) {
    so_far /= part;
    if (::mkdir(so_far.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR) {
      return failed("cannot make directory", so_far);
    }
  }
  return core::ok();
}

std::string one_user(const users::User& user, bool indent) {
  const Json json = users::to_json(user, users::Secrets::kKeep);
  if (!indent) return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace);
  for (auto at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) text.insert(at + 1, "    ");
  return "\n    " + text;
}

Result<std::string> read_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hold us
  if (fd < 0) return Error(Status::kInvalid, failed("cannot read", file).text);
  struct stat info {};
  std::string text;
  Error problem(Status::kInvalid, file.string() + " is not a regular file");
  if (::fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
    text.resize(core::limits::kMaxBackupBytes + 1);
    std::size_t have = 0;
    ssize_t got = 0;
    while (have < text.size() && (got = ::read(fd, text.data() + have, text.size() - have)) > 0) {
      have += static_cast<std::size_t>(got);
    }
    text.resize(have);
    problem = got < 0 ? failed("cannot read", file) : Error(Status::kOk);
    if (have > core::limits::kMaxBackupBytes) {
      problem = Error(Status::kInvalid,
                      file.string() + " has more than " + std::to_string(core::limits::kMaxBackupBytes) + " bytes");
    }
  }
  ::close(fd);
  if (problem.status != Status::kOk) return problem;
  return text;
}

std::string name_in(const Json& user) {
  const auto name = user.is_object() ? user.find("username") : user.end();
  return name != user.end() && name->is_string() ? name->get<std::string>() : std::string();
}

class Restore {
 public:
  Restore(users::Store& store, RestoreMode mode) : store_(store), mode_(mode) {}

  void take(const Json& json) {
    users::User user;
    const auto read = users::merge_json(user, json);
    if (!read) return refuse(name_in(json), read.error());
    auto known = store_.find(user.username);
    if (!known && known.error().status != Status::kNotFound) return refuse(user.username, known.error());
    if (known && mode_ == RestoreMode::kSkipExisting) {
      ++summary.skipped;
      return;
    }
    const std::string name = user.username;
    if (told_ < core::limits::kMaxRefusalsTold && !users::check_members(json)) {
      ++told_;
      users::warn_of_unknown_members("backup", name, json);
    }
    auto stored = known ? store_.update(user) : store_.add(std::move(user));
    if (!stored) return refuse(name, stored.error());
    ++(known ? summary.updated : summary.added);
    summary.restored.push_back(std::move(*stored));
    summary.is_new.push_back(!known);
  }

  RestoreSummary summary;

 private:
  void refuse(const std::string& username, const Error& reason) {
    ++summary.refused;
    if (summary.refusals.size() < core::limits::kMaxRefusalsTold) summary.refusals.push_back({username, reason});
  }

  users::Store& store_;
  const RestoreMode mode_;
  std::size_t told_ = 0;  // accounts with members that mean nothing
};

}  // namespace

Result<std::size_t> write_backup(users::Store& store, const std::filesystem::path& file, bool indent) {
  if (auto made = make_directories(file.parent_path()); !made) return made.error();
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return Error(Status::kInvalid, file.string() + " is a directory");
  NewFile out(file);
  if (!out.is_open()) return failed("cannot write", file);
  std::size_t count = 0;
  bool last = false;
  std::string text = indent ? "{\n  \"users\": [" : "{\"users\":[";
  for (std::string after; !last;) {
    auto page = store.list_after(after, core::limits::kUsersPerPage);
    if (!page) return page.error();
    for (const auto& user : page->users) {
      if (count++ > 0) text += ',';
      text += one_user(user, indent);
    }
    last = page->last_name.empty();
    if (!last && page->last_name == after)
      return Error(Status::kInternal, "the user names of the data provider do not ascend");
    after = std::move(page->last_name);
    if (last) text += indent ? "\n  ]\n}\n" : "]}\n";
    if (auto written = out.write(text); !written) return written.error();
    text.clear();
    if (!last && count > 0 && count % kProgressEvery == 0) {
      core::log::info("backup", "", std::to_string(count) + " users written to " + file.string() + " so far");
    }
  }
  if (auto published = out.publish(); !published) return published.error();
  return count;
}

Result<RestoreSummary> read_backup(users::Store& store, const std::filesystem::path& file, RestoreMode mode,
                                   const std::function<bool()>& going_on) {
  auto text = read_file(file);
  if (!text) return text.error();
  const Json json = users::parse_bounded(*text);
  if (!json.is_object()) return Error(Status::kInvalid, file.string() + " is not a JSON object, or nests too deep");
  const auto users = json.find("users");
  Restore restore(store, mode);
  if (users == json.end() || users->is_null()) return std::move(restore.summary);
  if (!users->is_array()) return Error(Status::kInvalid, file.string() + ": \"users\" is not a list");
  int count = 0;
  for (const auto& user : *users) {
    if (!going_on())
      return Error(Status::kCancelled,
                   "the server stops; users after the first " + std::to_string(count) + " are not restored");
    restore.take(user);
    if (++count % kProgressEvery == 0) {
      core::log::info("backup", "", std::to_string(count) + " users read from " + file.string() + " so far");
    }
  }
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
