// SPDX-License-Identifier: Apache-2.0
//
// Reads the settings and prepares homes. create runs once at start, mount on worker threads. The home's path comes
// from the operator and is trusted; only what lies below it is not.
#include "local_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>

#include "errors.h"
#include "home.h"
#include "platform.h"
#include "unique_fd.h"

namespace fs_local {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

// mkdir -p; the last directory gets the owner when this call made it.
Outcome<void> make_home(const std::string& path, const sp_mount_args& args, const sp_host& host) {
  const mode_t mode = 0777 & ~args.umask;
  bool made = false;
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    made = ::mkdir(part.c_str(), mode) == 0;
    if (!made && errno != EEXIST) {
      // A parent that exists may refuse (read-only, no rights); what counts is whether the way goes on.
      struct stat st {};
      const int error = errno;
      if (::stat(part.c_str(), &st) != 0) {
        errno = error;
        return failed("create home directory", part);
      }
    }
    if (slash == std::string::npos) break;
  }
  if (!made || (args.uid == LocalFs::kKeep && args.gid == LocalFs::kKeep)) return {};
  const UniqueFd fd(::open(path.c_str(), platform::kNameOnly | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd && platform::change_owner(fd.get(), args.uid, args.gid) == 0) return {};
  sallyport::Log(&host, LocalStorage::kType).warn(failed("chown of new home directory", path).message);
  return {};
}

}  // namespace

Outcome<std::unique_ptr<LocalStorage>> LocalStorage::create(const sp_host& host, std::string_view config) {
  const auto json = nlohmann::json::parse(config, nullptr, false);
  if (!json.is_object()) return Failure{SP_E_INVALID, "settings are not a JSON object", 0};
  Settings settings;
  settings.create_home = json.value("create_home", settings.create_home);
  settings.use_openat2 = json.value("use_openat2", settings.use_openat2);
  return std::make_unique<LocalStorage>(host, settings);
}

Outcome<std::unique_ptr<LocalFs>> LocalStorage::mount(const sp_op&, const sp_mount_args& args) {
  std::string root(sallyport::view(args.root));
  while (root.size() > 1 && root.back() == '/') root.pop_back();
  if (root.empty() || root.front() != '/') return refused(SP_E_INVALID, "home directory", root, "not an absolute path");
  const bool as_found = (args.flags & SP_MOUNT_AS_FOUND) != 0;
  Outcome<Home> home = Home::open(root, settings_.use_openat2);
  if (!home && home.failure().status == SP_E_NOT_FOUND && settings_.create_home && !as_found) {
    Outcome<void> made = make_home(root, args, host_);
    if (!made) return std::move(made.failure());
    home = Home::open(root, settings_.use_openat2);
  }
  if (!home && as_found) home = Home::missing(root, home.failure().native);
  if (!home) return std::move(home.failure());
  if ((args.flags & SP_MOUNT_NO_LINKS) != 0) home->follow_no_links();
  return std::make_unique<LocalFs>(host_, names_, std::move(*home), args);
}

}  // namespace fs_local
