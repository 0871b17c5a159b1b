// SPDX-License-Identifier: Apache-2.0
//
// Symbolic links, hard links and renaming: everything that acts on names rather than on objects. How link targets
// are stored is told in link_text.h. Runs on worker threads, concurrently.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <random>

#include "errors.h"
#include "link_text.h"
#include "local_fs.h"
#include "rename.h"

namespace fs_local {

using sallyport::Outcome;

namespace {

// Empty, with errno, when it cannot be read.
std::string read_text(const Place& place) {
  char text[PATH_MAX];
  const ssize_t length = ::readlinkat(place.dir, place.name.c_str(), text, sizeof text);
  if (length == static_cast<ssize_t>(sizeof text)) errno = ENAMETOOLONG;
  if (length <= 0 || length == static_cast<ssize_t>(sizeof text)) return {};
  return {text, static_cast<std::size_t>(length)};
}

std::string unused_name() {
  std::random_device random;
  return ".sallyport-link-" + std::to_string(random()) + std::to_string(random());
}

}  // namespace

// False, with errno: not made.
bool LocalFs::make_link(const Place& place, const std::string& text, std::uint32_t uid, std::uint32_t gid,
                        bool replace) {
  const std::string name = replace ? unused_name() : place.name;
  if (::symlinkat(text.c_str(), place.dir, name.c_str()) != 0) return false;
  if (uid != kKeep || gid != kKeep) {
    // A link's owner decides about nothing that we do; a refusal changes nothing.
    static_cast<void>(::fchownat(place.dir, name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) == 0);
  }
  if (!replace || ::renameat(place.dir, name.c_str(), place.dir, place.name.c_str()) == 0) return true;
  const int kept = errno;
  ::unlinkat(place.dir, name.c_str(), 0);
  errno = kept;
  return false;
}

Outcome<void> LocalFs::symlink(const sp_op&, std::string_view target, std::string_view link) {
  if (target.empty() || target.find('\0') != std::string_view::npos) {
    return refused(SP_E_INVALID, "symlink", link, "the target is not a path");
  }
  if (is_home(link)) return refused(SP_E_EXISTS, "symlink", link, "the home directory");
  const Place place = home_.place_of(link);
  if (!place) return unresolved("symlink", link);
  std::size_t depth = 0;
  if (target.front() == '/') {
    const auto found = home_.depth_of(directory_of(link));
    if (!found) return unresolved("symlink", link);
    depth = *found;
  }
  const bool give = may_chown_.load(std::memory_order_relaxed);
  if (!make_link(place, stored_target(target, depth), give ? uid_ : kKeep, give ? gid_ : kKeep, false))
    return failed("symlink", link);
  return {};
}

Outcome<std::string> LocalFs::read_link(const sp_op&, std::string_view path) {
  if (is_home(path)) return refused(SP_E_INVALID, "readlink", path, "the home directory");
  const Place place = home_.place_of(path);
  if (!place) return unresolved("readlink", path);
  std::string text = read_text(place);
  if (text.empty()) return failed("readlink", path);
  if (text.front() == '/') {
    // Made by an administrator or by a server that stored its own paths.
    const auto inside = home_.inside(text);
    auto shown = inside ? cleaned(*inside) : std::nullopt;
    if (!shown) return refused(SP_E_DENIED, "readlink", path, "leads out of the home directory");
    return std::move(*shown);
  }
  if (is_marked(text)) {
    if (const auto depth = home_.depth_of(directory_of(path))) {
      if (auto target = marked_target(text, *depth)) return std::move(*target);
    }
  }
  return text;
}

// A link whose target was given from the home leads there from every directory, so it is written anew when it
// moves to another depth. False: an ordinary rename does.
Outcome<bool> LocalFs::move_link(const Place& from, std::string_view from_path, const Place& to,
                                 std::string_view to_path, bool replace) {
  const std::string_view from_dir = directory_of(from_path), to_dir = directory_of(to_path);
  struct stat st {};
  if (from_dir == to_dir || ::fstatat(from.dir, from.name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISLNK(st.st_mode))
    return false;
  const std::string text = read_text(from);
  if (!is_marked(text)) return false;
  const auto from_depth = home_.depth_of(from_dir), to_depth = home_.depth_of(to_dir);
  if (!from_depth || !to_depth || *from_depth == *to_depth) return false;
  const auto target = marked_target(text, *from_depth);
  if (!target) return false;
  if (!make_link(to, stored_target(*target, *to_depth), st.st_uid, st.st_gid, replace))
    return failed("rename", from_path);
  if (::unlinkat(from.dir, from.name.c_str(), 0) != 0) return failed("rename", from_path);
  return true;
}

Outcome<void> LocalFs::rename(const sp_op&, std::string_view from, std::string_view to, std::uint32_t flags) {
  if (is_home(from) || is_home(to)) return refused(SP_E_DENIED, "rename", from, "the home directory");
  const Place source = home_.place_of(from);
  if (!source) return unresolved("rename", from);
  const Place target = home_.place_of(to);
  if (!target) return unresolved("rename to", to);
  const bool replace = (flags & SP_RENAME_REPLACE) != 0;
  const bool only_directory = (flags & SP_RENAME_ONLY_DIR) != 0;
  if (!only_directory) {
    Outcome<bool> moved = move_link(source, from, target, to, replace);
    if (!moved) return std::move(moved.failure());
    if (*moved) return {};
  }
  // With a slash behind it a name can only mean a directory.
  const std::string old_text = source.name + (only_directory ? "/" : "");
  const char* const old_name = old_text.c_str();
  const char* const new_name = target.name.c_str();
  const bool done = replace ? ::renameat(source.dir, old_name, target.dir, new_name) == 0
                            : rename_exclusive(source.dir, old_name, target.dir, new_name);
  if (!done) return failed("rename", from);
  return {};
}

Outcome<void> LocalFs::hard_link(const sp_op&, std::string_view from, std::string_view to) {
  if (is_home(from)) return refused(SP_E_DENIED, "link", from, "the home directory");
  if (is_home(to)) return refused(SP_E_EXISTS, "link", to, "the home directory");
  const Place source = home_.place_of(from);
  if (!source) return unresolved("link", from);
  const Place target = home_.place_of(to);
  if (!target) return unresolved("link to", to);
  if (::linkat(source.dir, source.name.c_str(), target.dir, target.name.c_str(), 0) != 0) return failed("link", from);
  return {};
}

}  // namespace fs_local
