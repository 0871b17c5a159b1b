// SPDX-License-Identifier: Apache-2.0
//
// Mounts that can list all their files at once do so. The others are walked directory by directory, with a list of
// those still to be read instead of open ones. What changes meanwhile may be counted or not. Links are not followed,
// half-way uploads have no name yet and do not count.
#include "host/vfs/usage_scan.h"

#include <string>
#include <vector>

#include "host/core/limits.h"
#include "host/vfs/upload.h"

namespace host::vfs {
namespace {

using core::Status;
using core::VirtualPath;

constexpr std::uint32_t kEntriesAtOnce = 1000;

void count(Usage& found, std::string_view name, const Attrs& attrs) {
  if (attrs.type != core::FileType::kFile || Upload::is_temporary(name)) return;
  found.size += static_cast<std::int64_t>(attrs.size);
  ++found.files;
}

core::Result<void> scan_tree(const Context& context, const Mount& mount, Usage& found) {
  auto tree = mount.fs->open_tree(context.op(), context.mounts.resolve(mount.at).path);
  if (!tree) {
    if (tree.error().status == Status::kNotFound && !mount.at.is_root()) return core::ok();
    return tree.error();
  }
  while (true) {
    auto at_end = (*tree)->next(context.op(), kEntriesAtOnce, [&](std::string_view name, const Attrs& attrs) {
      const VirtualPath path = VirtualPath::clean(name, mount.at);
      // What another mount hides is that one's to count.
      if (&context.mounts.at(path) == &mount) count(found, path.name(), attrs);
      return true;
    });
    if (!at_end) return at_end.error();
    if (*at_end) return core::ok();
  }
}

}  // namespace

core::Result<Usage> scan_usage(const Context& context) {
  Usage found;
  std::vector<VirtualPath> waiting;
  for (const Mount& mount : context.mounts.all()) {
    if (!mount.fs->caps().tree) {
      waiting.push_back(mount.at);
    } else if (auto done = scan_tree(context, mount, found); !done) {
      return done.error();
    }
  }
  while (!waiting.empty()) {
    const VirtualPath directory = std::move(waiting.back());
    waiting.pop_back();
    const Place place = context.mounts.resolve(directory);
    auto dir = place.fs->open_dir(context.op(), place.path);
    if (!dir) {
      // Removed meanwhile, or a folder that is not there. A home that is not there says nothing about its files.
      if (dir.error().status == Status::kNotFound && !directory.is_root()) continue;
      return dir.error();
    }
    for (bool at_end = false; !at_end;) {
      auto step = (*dir)->next(context.op(), kEntriesAtOnce, [&](std::string_view name, const Attrs& attrs) {
        const VirtualPath path = directory.child(name);
        if (context.mounts.at(path).at == path) return true;  // hidden by a folder
        if (attrs.type == core::FileType::kDir) {
          waiting.push_back(path);
        } else {
          count(found, name, attrs);
        }
        return true;
      });
      if (!step) return step.error();
      if (waiting.size() > core::limits::kMaxScanDirectories)
        return core::Error(Status::kFull, "too many directories in \"" + directory.str() + "\" to be scanned");
      at_end = *step;
    }
  }
  return found;
}

}  // namespace host::vfs
