// SPDX-License-Identifier: Apache-2.0
//
// POSIX checks of the database file: present, regular, readable and writable together with its directory (WAL puts two
// files beside it). Start-up thread only.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "database_file.h"

namespace provider_sqlite {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

Failure failure(sp_status status, const std::string& path, const std::string& problem, const char* advice) {
  return {status, "database " + path + ": " + problem + "; " + advice, errno};
}

std::string directory_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)); }

Outcome<bool> create_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return failure(SP_E_DENIED, path, std::string("cannot create the file: ") + std::strerror(errno),
                   "its directory must exist and be writable for the account that runs sallyport");
  }
  ::close(fd);
  return true;
}

}  // namespace

Outcome<bool> prepare_file(const std::string& path, bool create) {
  if (path.empty() || path.front() != '/') {
    return Failure{SP_E_INVALID, "the database name \"" + path + "\" is not an absolute path", 0};
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) {
      return failure(SP_E_DENIED, path, std::strerror(errno), "check the permissions of the directories above it");
    }
    if (::access((path + "-wal").c_str(), F_OK) == 0) {
      return failure(SP_E_NOT_FOUND, path, "there is no such file, but the log of its changes is there",
                     "put the file back, or remove its files -wal and -shm as well");
    }
    if (create) return create_file(path);
    return failure(SP_E_NOT_FOUND, path, "there is no such file", "run `sallyport initprovider` to create it");
  }
  if (!S_ISREG(info.st_mode)) return failure(SP_E_INVALID, path, "not a regular file", "check data_provider.name");
  if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK, AT_EACCESS) != 0) {
    return failure(SP_E_DENIED, path, std::string("cannot be read and written: ") + std::strerror(errno),
                   "make it readable and writable for the account that runs sallyport");
  }
  if (::faccessat(AT_FDCWD, directory_of(path).c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return failure(SP_E_DENIED, path, std::string("its directory is not writable: ") + std::strerror(errno),
                   "SQLite keeps its log beside the database");
  }
  return false;
}

bool is_world_readable(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
}

std::optional<FileId> file_id(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return FileId{info.st_dev, info.st_ino};
}

void remove_file(const std::string& path) {
  ::unlink(path.c_str());
  ::unlink((path + "-wal").c_str());
  ::unlink((path + "-shm").c_str());
}

}  // namespace provider_sqlite
