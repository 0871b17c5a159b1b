// SPDX-License-Identifier: Apache-2.0
//
// Several processes may make the same file at once, the server and a command beside it: link(2) lets one of them win.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "host/users/key_file.h"

namespace host::users {
namespace {

using core::Error;
using core::Status;
namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 65536;

Error failed(const char* what, const fs::path& file) {
  const int number = errno;
  const auto status = number == ENOENT ? Status::kNotFound : number == EEXIST ? Status::kExists : Status::kIo;
  return {status, std::string(what) + " " + file.string() + ": " + std::system_category().message(number), number};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// A command that root runs must not shut out the server, whose directory this is.
bool give_to_owner_of(const fs::path& directory, int fd) {
  struct stat info {};
  return ::geteuid() != 0 || (::stat(directory.c_str(), &info) == 0 && ::fchown(fd, info.st_uid, info.st_gid) == 0);
}

}  // namespace

FileStamp stamp_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {static_cast<std::int64_t>(info.st_ino), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

core::Result<std::string> read_private_file(const fs::path& file) {
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));  // a pipe must not hold us
  struct stat info {};
  if (in.get() < 0 || ::fstat(in.get(), &info) != 0) return failed("cannot read", file);
  if (!S_ISREG(info.st_mode)) return Error(Status::kInvalid, file.string() + " is not a regular file");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777U));
    return Error(Status::kDenied, file.string() + " has mode " + mode + ", others may read or change it: chmod 600 it");
  }
  std::string text(kMostBytes + 1, '\0');
  const ssize_t got = ::read(in.get(), text.data(), text.size());
  if (got < 0) return failed("cannot read", file);
  if (static_cast<std::size_t>(got) > kMostBytes) return Error(Status::kInvalid, file.string() + " is too large");
  text.resize(static_cast<std::size_t>(got));
  return text;
}

core::Result<void> make_private_file(const fs::path& file, std::string_view text) {
  std::string temporary = file.string() + ".XXXXXX";
  const Descriptor out(::mkostemp(temporary.data(), O_CLOEXEC));  // of mode 0600
  if (out.get() < 0) return failed("cannot make", file);
  if (!give_to_owner_of(file.parent_path(), out.get())) {
    const auto problem = failed("cannot set the owner of", file);
    ::unlink(temporary.c_str());
    return problem;
  }
  core::Result<void> done = core::ok();
  if (::write(out.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(out.get()) != 0 ||
      ::link(temporary.c_str(), file.c_str()) != 0) {
    done = failed("cannot make", file);
  }
  ::unlink(temporary.c_str());
  // Its name has to survive a loss of power as well: what is sealed with it will.
  const Descriptor directory(
      ::open(file.has_parent_path() ? file.parent_path().c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (done && (directory.get() < 0 || ::fsync(directory.get()) != 0)) done = failed("cannot keep", file);
  return done;
}

}  // namespace host::users
