// SPDX-License-Identifier: Apache-2.0
//
// Operations of a mount, links and renaming aside. Each resolves its path to a descriptor (of the object, or of the
// directory holding the last name) and acts on that alone. Runs on worker threads, concurrently. The process umask
// is expected to be 0: the mount's own is applied here.
#include "local_fs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "attrs.h"
#include "errors.h"
#include "platform.h"

namespace fs_local {

using sallyport::Failure;
using sallyport::Outcome;

namespace {

constexpr int kCreateTries = 16;  // against somebody creating and removing the same name meanwhile
constexpr char kRemoved[] = "the home directory has been removed";
constexpr mode_t kSetIdBits = 06000;
constexpr mode_t kPermBits = 07777;
// Opening must not wait for the other end of a FIFO nor acquire a terminal.
constexpr int kQuietly = O_NONBLOCK | O_NOCTTY;

int open_flags(std::uint32_t flags) {
  const bool read = (flags & SP_OPEN_READ) != 0, write = (flags & SP_OPEN_WRITE) != 0;
  int result = kQuietly | (read && write ? O_RDWR : write ? O_WRONLY : O_RDONLY);
  if ((flags & SP_OPEN_CREATE) != 0) result |= O_CREAT;
  if ((flags & SP_OPEN_EXCLUSIVE) != 0) result |= O_EXCL;
  if ((flags & SP_OPEN_TRUNCATE) != 0) result |= O_TRUNC;
  if ((flags & SP_OPEN_APPEND) != 0) result |= O_APPEND;
  return result;
}

bool sensible(std::uint32_t flags) {
  if ((flags & (SP_OPEN_READ | SP_OPEN_WRITE)) == 0) return false;
  if ((flags & SP_OPEN_TRUNCATE) != 0 && (flags & SP_OPEN_WRITE) == 0) return false;
  return (flags & SP_OPEN_EXCLUSIVE) == 0 || (flags & SP_OPEN_CREATE) != 0;
}

bool foreign(std::uint32_t wanted, std::uint32_t ours) { return wanted != LocalFs::kKeep && wanted != ours; }

}  // namespace

LocalFs::LocalFs(const sp_host& host, OwnerNames& names, Home home, const sp_mount_args& args)
    : host_(host),
      names_(names),
      home_(std::move(home)),
      uid_(args.uid),
      gid_(args.gid),
      umask_(args.umask & kPermBits),
      may_chown_(foreign(args.uid, ::geteuid()) || foreign(args.gid, ::getegid())) {}

sp_fs_caps LocalFs::caps() const {
  sp_fs_caps caps{};
  caps.struct_size = sizeof caps;
  caps.max_inflight = kMaxInflight;
  caps.flags = SP_FS_RANDOM_WRITE | SP_FS_READ_WRITE | SP_FS_PARALLEL_IO | SP_FS_NOWAIT_READ | SP_FS_RESUME |
               SP_FS_RENAME_REPLACE | SP_FS_ATOMIC_RENAME | SP_FS_REAL_DIRS | SP_FS_SYMLINKS | SP_FS_SET_TIMES |
               SP_FS_SET_PERMS | SP_FS_SET_OWNER | SP_FS_TRUNCATE;
  return caps;
}

sallyport::Failure LocalFs::failed(std::string_view what, std::string_view path) const {
  // Nothing of it can be reached: which directory it is says more than what was to be done in it.
  if (!home_.there()) return fs_local::failed("directory", home_.path());
  if (errno == ENOENT && home_.gone()) return refused(SP_E_IO, what, path, kRemoved);
  return fs_local::failed(what, path);
}

sallyport::Failure LocalFs::unresolved(std::string_view what, std::string_view path) const {
  return errno == ENOENT || !home_.there() ? failed(what, path) : fs_local::unresolved(what, path);
}

Outcome<sp_attrs> LocalFs::stat(const sp_op&, std::string_view path, std::uint32_t flags) {
  struct stat st {};
  if (is_home(path)) {
    if (!home_.there() || ::fstat(home_.fd(), &st) != 0) return fs_local::failed("directory", home_.path());
    if (st.st_nlink == 0 && home_.gone()) return refused(SP_E_IO, "stat", path, kRemoved);
    return attrs_of(st);
  }
  const Place place = home_.place_of(path);
  if (!place) return unresolved("stat", path);
  if (::fstatat(place.dir, place.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) return failed("stat", path);
  if (!S_ISLNK(st.st_mode) || (flags & SP_STAT_NOFOLLOW) != 0) return attrs_of(st);
  const UniqueFd fd = home_.open_at(path, platform::kNameOnly);
  if (!fd) return unresolved("stat", path);
  if (::fstat(fd.get(), &st) != 0) return failed("stat", path);
  return attrs_of(st);
}

Outcome<void> LocalFs::set_attrs(const sp_op&, std::string_view path, std::uint32_t flags, const sp_attrs& attrs) {
  const bool size = (attrs.valid & SP_ATTR_SIZE) != 0;
  const int how = size ? O_WRONLY | kQuietly : platform::kNameOnly;
  UniqueFd fd;
  if ((flags & SP_STAT_NOFOLLOW) != 0 && !is_home(path)) {
    const Place place = home_.place_of(path);
    if (!place) return unresolved("set attributes of", path);
    fd = UniqueFd(::openat(place.dir, place.name.c_str(), how | O_NOFOLLOW | O_CLOEXEC));
    if (!fd && size && errno == ELOOP) return refused(SP_E_UNSUPPORTED, "truncate", path, "a symbolic link");
  } else {
    fd = home_.open_at(path, how);
  }
  if (!fd) return unresolved("set attributes of", path);
  if (size) {
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return failed("truncate", path);
    if (!S_ISREG(st.st_mode)) return refused(SP_E_INVALID, "truncate", path, "not a regular file");
  }
  return apply_attrs(fd.get(), attrs, path);
}

mode_t LocalFs::mode_of_new(const sp_attrs* attrs, mode_t otherwise) const {
  const bool given = attrs != nullptr && (attrs->valid & SP_ATTR_PERMS) != 0;
  return (given ? attrs->perms & kPermBits : otherwise) & ~umask_;
}

// For what was just created. A refusal is the operator's business, not the client's: the object is there and usable.
void LocalFs::give_to_owner(int fd, mode_t mode, std::string_view path) {
  if (!may_chown_.load(std::memory_order_relaxed)) return;
  if (platform::change_owner(fd, uid_, gid_) != 0) {
    if (errno == EPERM) may_chown_.store(false, std::memory_order_relaxed);
    sallyport::Log(&host_, "fs-local").warn(failed("chown of new", path).message);
  } else if ((mode & kSetIdBits) != 0 && platform::change_mode(fd, mode) != 0) {
    sallyport::Log(&host_, "fs-local").warn(failed("chmod of new", path).message);
  }
}

// Only a file that this call created may be given away, so creation is tried for itself.
LocalFs::Opened LocalFs::open_or_create(std::string_view path, int flags, mode_t mode) const {
  if ((flags & O_CREAT) == 0 || (flags & O_EXCL) != 0 || !may_chown_.load(std::memory_order_relaxed)) {
    return {home_.open_at(path, flags, mode), (flags & O_EXCL) != 0};
  }
  for (int tries = 0; tries < kCreateTries; ++tries) {
    UniqueFd fd = home_.open_at(path, flags | O_EXCL, mode);
    if (fd) return {std::move(fd), true};
    if (errno != EEXIST) return {};
    fd = home_.open_at(path, flags & ~O_CREAT, 0);
    if (fd || errno != ENOENT) return {std::move(fd), false};
    struct stat st {};
    const Place place = home_.place_of(path);
    if (place && ::fstatat(place.dir, place.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode)) {
      return {home_.open_at(path, flags, mode), true};  // a link to nothing yet
    }
  }
  errno = EAGAIN;
  return {};
}

Outcome<std::unique_ptr<LocalFile>> LocalFs::open(const sp_op&, std::string_view path, const sp_open_args& args) {
  if (!sensible(args.flags)) return refused(SP_E_INVALID, "open", path, "flags contradict each other");
  const mode_t mode = mode_of_new(args.attrs, 0666);
  Opened opened = open_or_create(path, open_flags(args.flags), mode);
  if (!opened.fd) return unresolved("open", path);
  struct stat st {};
  if (::fstat(opened.fd.get(), &st) != 0) return failed("open", path);
  if (S_ISDIR(st.st_mode)) return refused(SP_E_IS_DIR, "open", path, "a directory");
  if (!S_ISREG(st.st_mode)) return refused(SP_E_DENIED, "open", path, "not a regular file");
  if (opened.created) give_to_owner(opened.fd.get(), mode, path);
  return std::make_unique<LocalFile>(host_, std::move(opened.fd), std::string(path), (args.flags & SP_OPEN_WRITE) != 0);
}

Outcome<std::unique_ptr<LocalDir>> LocalFs::open_dir(const sp_op&, std::string_view path) {
  UniqueFd fd = home_.open_at(path, O_RDONLY | O_DIRECTORY | kQuietly);
  if (!fd) return unresolved("list", path);
  // It would look like an empty one.
  if (is_home(path) && home_.gone()) return refused(SP_E_IO, "list", path, kRemoved);
  LocalDir::Stream stream(::fdopendir(fd.get()));
  if (!stream) return failed("list", path);
  fd.release();
  return std::make_unique<LocalDir>(std::move(stream), std::string(path));
}

Outcome<void> LocalFs::mkdir(const sp_op&, std::string_view path, const sp_attrs* attrs) {
  if (is_home(path)) return refused(SP_E_EXISTS, "mkdir", path, "the home directory");
  const Place place = home_.place_of(path);
  if (!place) return unresolved("mkdir", path);
  const mode_t mode = mode_of_new(attrs, 0777);
  if (::mkdirat(place.dir, place.name.c_str(), mode) != 0) return failed("mkdir", path);
  if ((mode & kSetIdBits) == 0 && !may_chown_.load(std::memory_order_relaxed)) return {};
  const UniqueFd fd(
      ::openat(place.dir, place.name.c_str(), platform::kNameOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return {};  // taken away meanwhile
  give_to_owner(fd.get(), mode, path);
  if ((mode & kSetIdBits) != 0 && platform::change_mode(fd.get(), mode) != 0) return failed("chmod of new", path);
  return {};
}

Outcome<void> LocalFs::remove(const sp_op&, std::string_view path, std::uint32_t kind) {
  if (is_home(path)) return refused(SP_E_DENIED, "remove", path, "the home directory");
  const Place place = home_.place_of(path);
  if (!place) return unresolved("remove", path);
  if (::unlinkat(place.dir, place.name.c_str(), kind == SP_REMOVE_DIR ? AT_REMOVEDIR : 0) != 0)
    return failed("remove", path);
  return {};
}

Outcome<sp_statvfs> LocalFs::statvfs(const sp_op&, std::string_view path) {
  const UniqueFd fd = home_.open_at(path, platform::kNameOnly);
  if (!fd) return unresolved("statvfs", path);
  struct statvfs st {};
  if (::fstatvfs(fd.get(), &st) != 0) return failed("statvfs", path);
  sp_statvfs space{};
  space.struct_size = sizeof space;
  space.flags =
      ((st.f_flag & ST_RDONLY) != 0 ? SP_STATVFS_RDONLY : 0u) | ((st.f_flag & ST_NOSUID) != 0 ? SP_STATVFS_NOSUID : 0u);
  space.bsize = st.f_bsize;
  space.frsize = st.f_frsize;
  space.blocks = st.f_blocks;
  space.bfree = st.f_bfree;
  space.bavail = st.f_bavail;
  space.files = st.f_files;
  space.ffree = st.f_ffree;
  space.favail = st.f_favail;
  space.fsid = st.f_fsid;
  space.namemax = st.f_namemax;
  return space;
}

Outcome<std::string> LocalFs::real_path(std::string_view path) const {
  if (is_home(path)) return home_.path();
  std::string real = home_.path() == "/" ? "" : home_.path();
  real += path;
  return real;
}

Outcome<std::string> LocalFs::local_root() const {
  if (!home_.there()) return failed("home directory", home_.path());
  return home_.canonical();
}

Outcome<std::string> LocalFs::user_name(std::uint32_t uid) {
  if (auto name = names_.user(uid)) return std::move(*name);
  return Failure{SP_E_NOT_FOUND, {}, 0};
}

Outcome<std::string> LocalFs::group_name(std::uint32_t gid) {
  if (auto name = names_.group(gid)) return std::move(*name);
  return Failure{SP_E_NOT_FOUND, {}, 0};
}

}  // namespace fs_local
