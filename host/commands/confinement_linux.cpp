// SPDX-License-Identifier: Apache-2.0
//
// Landlock by its system calls (the C library has no wrappers), and a mount namespace. view() and close() run in a
// child that shares our memory: no allocation, no locks, no exceptions there.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <string>

#include "host/commands/confinement.h"

namespace host::commands {
namespace {

using core::Error;
using core::Result;
using core::Status;

// linux/landlock.h, which older systems have without the later members.
enum Right : std::uint64_t {
  kExecute = 1U << 0,
  kWriteFile = 1U << 1,
  kReadFile = 1U << 2,
  kReadDir = 1U << 3,
  kRemoveDir = 1U << 4,
  kRemoveFile = 1U << 5,
  kMakeDir = 1U << 7,
  kMakeFile = 1U << 8,
  kMakeLink = 1U << 12,
  kRefer = 1U << 13,
  kTruncate = 1U << 14,  // version 3
  kIoctl = 1U << 15,     // version 5
  kUpToRefer = (1U << 14) - 1,
};
constexpr std::uint64_t kTcp = 3;     // bind and connect; version 4
constexpr std::uint64_t kScopes = 3;  // abstract sockets and signals; version 6
constexpr long kOldestVersion = 2;    // renaming between directories
constexpr long kLandlockRuleBeneath = 1;

struct RulesetAttr {
  std::uint64_t files, network, scopes;
};
struct [[gnu::packed]] BeneathAttr {
  std::uint64_t rights;
  std::int32_t parent;
};

constexpr std::uint64_t kHome = kWriteFile | kReadFile | kReadDir | kRemoveDir | kRemoveFile | kMakeDir | kMakeFile |
                                kMakeLink | kRefer | kTruncate;
constexpr std::uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kIoctl;  // make sense for a file

// What programs read besides: the dynamic linker's and the C library's own files. No accounts of the system.
constexpr const char* kReadable[] = {"/usr/lib",      "/usr/lib64",          "/usr/local/lib",    "/lib",
                                     "/lib64",        "/usr/share/zoneinfo", "/usr/share/locale", "/etc/ld.so.cache",
                                     "/etc/localtime"};
constexpr const char* kLinkerDirectories[] = {"/lib64", "/lib", "/usr/lib64", "/usr/lib"};

// Where the directory appears in a view of its own; nothing else uses these names while it is there.
constexpr const char* kNeutralPlaces[] = {"/mnt", "/srv", "/opt"};

// From linux/mount.h, whose inclusion together with sys/mount.h some systems do not bear.
struct MountAttr {
  std::uint64_t set, clear, propagation, userns;
};
constexpr std::uint64_t kReadOnly = 1, kNoSuid = 2, kNoDev = 4, kNoExec = 8;
constexpr unsigned kTreeClone = 1, kRecursive = 0x8000, kFromEmptyPath = 4;
// linux/openat2.h
struct OpenHow {
  std::uint64_t flags, mode, resolve;
};
constexpr std::uint64_t kNoMagicLinks = 2, kNoLinks = 4, kBeneath = 8;
#ifndef SYS_mount_setattr
constexpr long SYS_mount_setattr = 442;
#endif
#ifndef SYS_landlock_create_ruleset
constexpr long SYS_landlock_create_ruleset = 444, SYS_landlock_add_rule = 445, SYS_landlock_restrict_self = 446;
#endif

class Rules {
 public:
  static Result<Rules> create() {
    const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, 1);
    if (version < kOldestVersion) {
      return Error(Status::kUnsupported,
                   "programs of the system need Landlock, of Linux 5.19 or later, to be confined");
    }
    Rules rules;
    RulesetAttr attr{kUpToRefer, kTcp, kScopes};
    if (version >= 3) attr.files |= kTruncate;
    if (version >= 5) attr.files |= kIoctl;
    const std::size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    rules.handled_ = attr.files;
    rules.fd_ = UniqueFd(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attr, size, 0)));
    if (!rules.fd_) return Error(Status::kUnsupported, "Landlock: " + std::string(std::strerror(errno)), errno);
    return rules;
  }
  bool allow(int fd, std::uint64_t rights) {
    struct stat st {};
    if (::fstat(fd, &st) != 0) return false;
    if (!S_ISDIR(st.st_mode)) rights &= kOfFiles;
    const BeneathAttr beneath{rights & handled_, fd};
    return ::syscall(SYS_landlock_add_rule, fd_.get(), kLandlockRuleBeneath, &beneath, 0) == 0;
  }
  // What is not there is not needed.
  void allow(const std::string& path, std::uint64_t rights) {
    const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (fd) allow(fd.get(), rights);
  }
  UniqueFd take() { return std::move(fd_); }

 private:
  UniqueFd fd_;
  std::uint64_t handled_ = 0;
};

// The kernel runs it for every program that is linked dynamically.
void allow_linker(Rules& rules) {
  for (const char* directory : kLinkerDirectories) {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
      const std::string name = entry.path().filename();
      if (name.starts_with("ld-") && name.find(".so") != std::string::npos)
        rules.allow(entry.path(), kExecute | kReadFile);
    }
  }
}

int error_of(long result) noexcept { return result < 0 ? errno : 0; }

// Where the operator has it, and from there on where no link leads: users can make those.
UniqueFd open_directory(const std::string& path, const std::string& below) noexcept {
  UniqueFd home(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!home || below.empty()) return home;
  const OpenHow how{O_PATH | O_DIRECTORY | O_CLOEXEC, 0, kNoMagicLinks | kNoLinks | kBeneath};
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, home.get(), below.c_str(), &how, sizeof how)));
}

}  // namespace

Result<Confinement> Confinement::prepare(const ChildPlan& plan) {
  Confinement made;
  const UniqueFd directory = open_directory(plan.directory, plan.below);
  if (!directory) {
    const int error = errno;
    const auto status = error == ELOOP || error == EXDEV ? Status::kDenied : Status::kNotFound;
    return Error(status, plan.directory + "/" + plan.below + ": " + std::strerror(error), error);
  }
  auto rules = Rules::create();
  if (!rules) return rules.error();
  if (!rules->allow(directory.get(), kHome)) return Error(Status::kUnsupported, "Landlock refuses " + plan.directory);
  for (const char* path : kReadable) rules->allow(path, kReadFile | kReadDir);
  rules->allow("/dev/null", kReadFile | kWriteFile | kTruncate);
  rules->allow("/dev/urandom", kReadFile);
  allow_linker(*rules);
  rules->allow(plan.file, kExecute | kReadFile);
  for (const auto& path : plan.runs) rules->allow(path, kExecute | kReadFile | kReadDir);
  made.rules_ = rules->take();
  made.path_ = plan.directory;
  made.below_ = plan.below;
  const auto itself = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  made.uid_map_ = itself(::geteuid());
  made.gid_map_ = itself(::getegid());
  return made;
}

// A view of our own, whose mounts are changed for nobody else. Not root: as root of a name space of its own, if the
// system lets us, in which we are who we were.
int Confinement::leave_common_view() const noexcept {
  if (::geteuid() == 0) return error_of(::unshare(CLONE_NEWNS));
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return errno;
  constexpr const char* kMaps[] = {"/proc/self/setgroups", "/proc/self/gid_map", "/proc/self/uid_map"};
  const std::string* texts[] = {&setgroups_, &gid_map_, &uid_map_};
  for (std::size_t i = 0; i < std::size(kMaps); ++i) {
    const int fd = ::open(kMaps[i], O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ::write(fd, texts[i]->data(), texts[i]->size()) < 0) return errno;
    ::close(fd);  // what is open for writing would keep its mount from becoming read-only
  }
  return 0;
}

int Confinement::view() const noexcept {
  const char* place = nullptr;
  for (const char* each : kNeutralPlaces) {
    if (place == nullptr && ::access(each, F_OK) == 0) place = each;
  }
  if (place == nullptr) return ENOENT;
  if (const int error = leave_common_view(); error != 0) return error;
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  // Once more: a descriptor from before lies outside of what we see now.
  const UniqueFd directory = open_directory(path_, below_);
  if (!directory) return errno;
  const MountAttr files{kNoSuid | kNoDev | kNoExec, 0, 0, 0}, rest{kReadOnly, 0, 0, 0};
  const long tree = ::syscall(SYS_open_tree, directory.get(), "", kTreeClone | kRecursive | AT_EMPTY_PATH | O_CLOEXEC);
  if (tree < 0 || ::syscall(SYS_mount_setattr, tree, "", kRecursive | AT_EMPTY_PATH, &files, sizeof files) != 0 ||
      ::syscall(SYS_mount_setattr, AT_FDCWD, "/", kRecursive, &rest, sizeof rest) != 0 ||
      ::syscall(SYS_move_mount, tree, "", AT_FDCWD, place, kFromEmptyPath) != 0)
    return errno;
  return error_of(::chdir(place));
}

int Confinement::close() const noexcept {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return error_of(::syscall(SYS_landlock_restrict_self, rules_.get(), 0));
}

}  // namespace host::commands
