// SPDX-License-Identifier: Apache-2.0
//
// Writes each line with one system call, unbuffered: after a crash nothing that was handed over is lost, and whoever
// follows the file sees whole lines. Log thread only. Modes are explicit because the host runs with umask 0.
#include "host/core/log_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "host/core/worker_pool.h"

namespace host::core::log {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0640;
constexpr auto kDirectoryMode = fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec;
constexpr int kStuckReaderMs = 1000;  // a reader of our pipe that stalls longer costs the line

Error system_error(const std::string& what, const fs::path& path, int number) {
  return {Status::kIo, what + " " + path.string() + ": " + std::strerror(number), number};
}

Result<void> write_all(int fd, std::string_view line) {
  std::string text(line);
  text += '\n';
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t count = ::write(fd, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      pollfd wait{fd, POLLOUT, 0};
      if (::poll(&wait, 1, kStuckReaderMs) == 0) return Error(Status::kTimedOut, "the reader of the log is stuck");
    } else if (errno != EINTR) {
      return Error(Status::kIo, std::strerror(errno), errno);
    }
  }
  return ok();
}

// Whatever the umask is, nobody else may replace what lies in them.
Result<void> make_directories(const fs::path& directory) {
  fs::path made;
  for (const auto& part : directory) {
    made /= part;
    std::error_code failed;
    if (!fs::create_directory(made, failed)) {
      if (std::error_code ignored; failed && !fs::is_directory(made, ignored))
        return system_error("cannot create", made, failed.value());
      continue;
    }
    fs::permissions(made, kDirectoryMode, failed);
    if (failed) return system_error("cannot set the permissions of", made, failed.value());
  }
  return ok();
}

class StandardOutput final : public Output {
 public:
  Result<void> write_line(std::string_view line) override { return write_all(STDOUT_FILENO, line); }
  Result<void> reopen() override { return ok(); }
};

class RotatingFile final : public Output {
 public:
  explicit RotatingFile(RotationOptions options) : options_(std::move(options)) {}
  ~RotatingFile() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> open() {
    const int fd = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
    if (fd < 0) return system_error("cannot open", options_.path, errno);
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
    struct stat info {};
    size_ = ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
    if (size_ == 0) torn_ = false;
    // Here and not at the rename, so that limits lowered between two runs apply at once. Elsewhere than on this thread,
    // since compressing a large file takes seconds, in which the queue of lines would overflow.
    (void)tidy_.submit([options = options_] { tidy_backups(options, std::chrono::system_clock::now()); });
    return ok();
  }

  Result<void> reopen() override { return open(); }

  Result<void> write_line(std::string_view line) override {
    if (size_ > 0 && size_ + line.size() + 1 > options_.max_bytes) rotate();
    if (fd_ < 0) {
      if (auto opened = open(); !opened) return opened;
    }
    // A line that a full disk cut off must not spoil the next.
    auto written = write_all(fd_, torn_ ? "\n" + std::string(line) : std::string(line));
    if (written) {
      torn_ = false;
      size_ += line.size() + 1;
    } else if (struct stat info{}; ::fstat(fd_, &info) == 0) {
      torn_ = torn_ || static_cast<std::uint64_t>(info.st_size) != size_;
      size_ = static_cast<std::uint64_t>(info.st_size);
    }
    return written;
  }

 private:
  // When the rename fails (a read-only directory) the file simply goes on growing: lines matter more than its size.
  void rotate() {
    auto when = std::chrono::system_clock::now();
    auto backup = backup_path(options_.path, when);
    std::error_code failed;
    while (fs::exists(backup, failed)) backup = backup_path(options_.path, when += std::chrono::milliseconds(1));
    fs::rename(options_.path, backup, failed);
    if (failed) return;
    ::close(fd_);
    fd_ = -1;
  }

  const RotationOptions options_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  bool torn_ = false;
  WorkerPool tidy_{"log-tidy", 1, 1};  // a waiting run will see all backups: a refused one loses nothing
};

}  // namespace

std::unique_ptr<Output> standard_output() { return std::make_unique<StandardOutput>(); }

Result<std::unique_ptr<Output>> rotating_file(const RotationOptions& options) {
  if (const auto directory = options.path.parent_path(); !directory.empty() && !fs::exists(directory)) {
    if (auto made = make_directories(directory); !made) return made.error();
  }
  auto file = std::make_unique<RotatingFile>(options);
  if (auto opened = file->open(); !opened) return opened.error();
  return std::unique_ptr<Output>(std::move(file));
}

}  // namespace host::core::log
