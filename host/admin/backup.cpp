// SPDX-License-Identifier: Apache-2.0
//
// On the thread of the service that asks. Accounts are written page by page, so that memory does not grow with their
// number.
#include "host/admin/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/users/user_json.h"

namespace host::admin {
namespace {

using core::Error;
using core::Result;
using core::Status;
using users::Json;

constexpr std::size_t kProgressEvery = 1000;                 // accounts
constexpr auto kDeadAfter = std::chrono::hours(1);           // without a write: one writes a page at a time
constexpr std::string_view kTemporary = ".sallyport-dump-";  // six more letters follow

Error failed(const std::string& what, const std::filesystem::path& file) {
  const int number = errno;
  return {Status::kIo, what + " " + file.string() + ": " + std::system_category().message(number), number};
}

// What a process that ended in the middle has left: it holds as much as a dump does, and nobody would look for it.
// Another server may be writing to the same directory, which shows in the time of its file.
void remove_leftovers(const std::filesystem::path& directory) {
  std::error_code problem;
  const auto dead = std::filesystem::file_time_type::clock::now() - kDeadAfter;
  for (std::filesystem::directory_iterator it(directory, problem), end; !problem && it != end; it.increment(problem)) {
    const auto name = it->path().filename().string();
    if (!name.starts_with(kTemporary) || name.size() != kTemporary.size() + 6) continue;
    std::error_code gone;
    const auto written = it->last_write_time(gone);
    if (gone || written > dead) continue;
    if (::unlink(it->path().c_str()) == 0)
      core::log::info("backup", "", "removed " + it->path().string() + ", which an earlier dump did not finish");
  }
}

// A file under a name of its own until it is whole.
class NewFile {
 public:
  explicit NewFile(std::filesystem::path target)
      : target_(std::move(target)),
        temporary_((target_.parent_path() / (std::string(kTemporary) + "XXXXXX")).string()),
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
    return keep_name();
  }

 private:
  // The name is the directory's, and may get lost without it (fsync(2)), where the file system and our rights allow it.
  Result<void> keep_name() const {
    const int directory = ::open(target_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool kept =
        (directory >= 0 && ::fsync(directory) == 0) || errno == EINVAL || errno == ENOTSUP || errno == EACCES;
    auto outcome = kept ? core::ok() : Result<void>(failed("cannot keep", target_));
    if (directory >= 0) ::close(directory);
    return outcome;
  }

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

}  // namespace

Result<Backup> write_backup(users::Store& store, const std::filesystem::path& file, bool indent,
                            const std::function<bool()>& going_on) {
  if (auto made = make_directories(file.parent_path()); !made) return made.error();
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return Error(Status::kInvalid, file.string() + " is a directory");
  remove_leftovers(file.parent_path());
  NewFile out(file);
  if (!out.is_open()) return failed("cannot write", file);
  Backup done;
  std::size_t missing = 0;
  std::string first_missing;
  std::string text = indent ? "{\n  \"users\": [" : "{\"users\":[";
  bool last = false;
  for (std::string after; !last;) {
    if (!going_on()) return Error(Status::kBusy, "the server stops; nothing was written");
    auto page = store.list_after(after, core::limits::kUsersPerPage);
    if (!page) return page.error();
    for (const auto& user : page->users) {
      if (done.users++ > 0) text += ',';
      text += one_user(user, indent);
    }
    if (missing == 0 && !page->unreadable.empty()) first_missing = page->unreadable.front();
    missing += page->unreadable.size();
    last = page->last_name.empty();
    if (!last && page->last_name == after)
      return Error(Status::kInternal, "the user names of the data provider do not ascend");
    after = std::move(page->last_name);
    if (last) text += indent ? "\n  ]\n}\n" : "]}\n";
    if (auto written = out.write(text); !written) return written.error();
    done.bytes += text.size();
    text.clear();
    if (!last && done.users > 0 && done.users % kProgressEvery == 0) {
      core::log::info("backup", "", std::to_string(done.users) + " users written to " + file.string() + " so far");
    }
  }
  if (missing > 0) {
    return Error(Status::kIo, "nothing was written, " + std::to_string(missing) +
                                  " of the users cannot be read and would be missing (\"" + first_missing +
                                  "\" is the first); the log says why");
  }
  if (auto published = out.publish(); !published) return published.error();
  return done;
}

}  // namespace host::admin
