// SPDX-License-Identifier: Apache-2.0
//
// Puts file operations into the terms of host/events. Any thread. Paths are those of the server, as scripts of the
// replaced system expect them.
#include "host/vfs/notices.h"

#include <algorithm>

namespace host::vfs::notices {
namespace {

using events::FileEvent;
using events::Kind;

FileEvent event(const Context& context, Kind kind, const core::VirtualPath& path) {
  const Place place = context.mounts.resolve(path);
  FileEvent made;
  made.kind = kind;
  made.username = context.identity.user.username;
  made.path = place.real_path();
  made.virtual_path = path.str();
  made.local_file = place.fs->storage_name() == "fs-local";
  made.connection_id = context.identity.connection_id;
  made.protocol = context.identity.protocol;
  return made;
}

}  // namespace

bool wanted(const Context& context, Kind kind) {
  return context.options.events != nullptr && context.options.events->wants(kind);
}

bool asks_before(const Context& context) {
  return wanted(context, Kind::kPreUpload) || wanted(context, Kind::kPreDownload) || wanted(context, Kind::kPreDelete);
}

void file(const Context& context, Kind kind, const core::VirtualPath& path, std::optional<std::uint64_t> size) {
  if (!wanted(context, kind)) return;
  auto made = event(context, kind, path);
  made.file_size = size;
  context.options.events->tell(made);
}

void renamed(const Context& context, const core::VirtualPath& from, const core::VirtualPath& to) {
  if (!wanted(context, Kind::kRename)) return;
  auto made = event(context, Kind::kRename, from);
  made.target_path = context.mounts.resolve(to).real_path();
  context.options.events->tell(made);
}

// scp is a transfer, which has its own events. Without an argument there is no path.
void ssh_command(const Context& context, std::string_view command_line, const core::VirtualPath& path) {
  if (!wanted(context, Kind::kSshCommand) || context.identity.protocol == "SCP") return;
  auto made = event(context, Kind::kSshCommand, path);
  const auto name_end = std::min(command_line.find_first_of(" \t"), command_line.size());
  made.ssh_command = command_line.substr(0, name_end);
  if (command_line.find_first_not_of(" \t", name_end) == std::string_view::npos) made.path.clear();
  made.protocol = "SSH";
  context.options.events->tell(made);
}

core::Result<void> asked(const Context& context, Kind kind, const core::VirtualPath& path,
                         std::optional<std::uint64_t> size) {
  if (!wanted(context, kind)) return core::ok();
  auto made = event(context, kind, path);
  made.file_size = size;
  auto decided = context.options.events->decide(made, context.identity.session_number);
  if (!decided) return decided.error().status;
  return decided;
}

}  // namespace host::vfs::notices
