// SPDX-License-Identifier: Apache-2.0
//
// Component by component, so that what is listed is only what can match. On a worker.
#include "host/scp/wildcards.h"

#include <fnmatch.h>

#include <algorithm>
#include <string>

#include "host/core/limits.h"

namespace host::scp {
namespace {

using core::Status;
using core::VirtualPath;

constexpr std::uint32_t kEntriesAtOnce = 1000;

bool has_wildcard(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;
    } else if (std::string_view("*?[").find(pattern[i]) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::string unescaped(std::string_view pattern) {
  std::string text;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    text += pattern[i];
  }
  return text;
}

core::Result<void> matches_in(vfs::SessionFs& fs, const VirtualPath& directory, const std::string& pattern,
                              std::vector<VirtualPath>& found) {
  auto dir = fs.open_dir(directory);
  if (!dir) return core::ok();
  for (bool at_end = false; !at_end;) {
    auto step = (*dir)->next(kEntriesAtOnce, [&](std::string_view name, const core::Attrs&) {
      if (::fnmatch(pattern.c_str(), std::string(name).c_str(), FNM_PERIOD) == 0)
        found.push_back(directory.child(name));
      return true;
    });
    if (!step) return step.error();
    if (found.size() > core::limits::kMaxWildcardMatches)
      return core::Error(Status::kFull, "more than " + std::to_string(core::limits::kMaxWildcardMatches) + " matches");
    at_end = *step;
  }
  return core::ok();
}

}  // namespace

core::Result<std::vector<VirtualPath>> expand_wildcards(vfs::SessionFs& fs, const VirtualPath& pattern) {
  std::vector<VirtualPath> found = {VirtualPath()};
  std::string_view rest = pattern.str();
  while (!rest.empty() && !found.empty()) {
    rest.remove_prefix(1);  // the '/'
    const std::string component(rest.substr(0, rest.find('/')));
    rest.remove_prefix(component.size());
    std::vector<VirtualPath> next;
    for (const auto& directory : found) {
      if (!has_wildcard(component)) {
        next.push_back(directory.child(unescaped(component)));
      } else if (auto done = matches_in(fs, directory, component, next); !done) {
        return done.error();
      }
    }
    found = std::move(next);
  }
  std::erase_if(found, [&](const VirtualPath& path) { return !fs.stat(path, false); });
  std::ranges::sort(found);
  return found;
}

}  // namespace host::scp
