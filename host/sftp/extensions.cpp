// SPDX-License-Identifier: Apache-2.0
//
// Extended requests (OpenSSH's PROTOCOL sections 4.2 to 4.10 and filexfer-extensions-00). On workers, except those
// that touch no storage: limits and home-directory.
#include <algorithm>
#include <limits>
#include <string>

#include "host/core/limits.h"
#include "host/sftp/handlers.h"
#include "host/sftp/replies.h"

namespace host::sftp {
namespace {

using core::Result;
using core::Status;
namespace limits = core::limits;

// One slice of a copy: short enough that leaving the session stops it soon, long enough to cost no hand-overs.
constexpr std::uint64_t kCopySliceBytes = 16 * 1024 * 1024;
constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();

void put_statvfs(Call& call, std::uint32_t id, const Result<plugin::StatVfs>& result) {
  if (!result) return put_status(call.out, id, result.error().status);
  constexpr std::uint64_t kReadOnly = 1, kNoSuid = 2;
  const auto& space = *result;
  Packet packet(call.out, Type::kExtendedReply, 128);
  packet.body().u32(id);
  for (const auto value :
       {space.bsize, space.frsize, space.blocks, space.bfree, space.bavail, space.files, space.ffree, space.favail,
        space.fsid, (space.read_only ? kReadOnly : 0) | (space.no_suid ? kNoSuid : 0), space.namemax}) {
    packet.body().u64(value);
  }
  packet.send();
}

// Names of numbers as one string of strings; empty for a number without a name.
template <class Find>
std::string join_names(const std::vector<std::uint32_t>& ids, Find find) {
  std::string out;
  for (const auto id : ids) {
    const std::string& name = find(id);
    const auto known = name == std::to_string(id) ? std::string_view() : std::string_view(name);
    out.append(3, '\0');
    out += static_cast<char>(known.size());  // OwnerNames keeps them short
    out += known;
  }
  return out;
}

bool overlap(std::uint64_t a, std::uint64_t b, std::uint64_t length) { return a < b + length && b < a + length; }

}  // namespace

void handle_posix_rename(Call& call, Request& request) {
  const auto& fields = std::get<TwoPathFields>(request.body);
  if (!call.fs.features(fields.path).atomic_rename) return put_status(call.out, request.id, Status::kUnsupported);
  put_result(call.out, request.id, call.fs.rename(fields.path, fields.to, true));
}

void handle_statvfs(Call& call, Request& request) {
  put_statvfs(call, request.id, call.fs.statvfs(std::get<PathFields>(request.body).path));
}

void handle_fstatvfs(Call& call, Request& request) {
  auto& handle = *request.handle;
  put_statvfs(call, request.id, handle.file ? handle.file->statvfs() : call.fs.statvfs(handle.path));
}

void handle_hardlink(Call& call, Request& request) {
  const auto& fields = std::get<TwoPathFields>(request.body);
  if (!call.fs.features(fields.path).hard_links) return put_status(call.out, request.id, Status::kUnsupported);
  put_result(call.out, request.id, call.fs.hard_link(fields.path, fields.to));
}

void handle_fsync(Call& call, Request& request) {
  auto* file = request.handle->file.get();
  if (file == nullptr) return put_status(call.out, request.id, Code::kFailure, "not a file handle");
  put_result(call.out, request.id, file->sync());
}

void handle_lsetstat(Call& call, Request& request) {
  const auto& fields = std::get<AttrsFields>(request.body);
  put_result(call.out, request.id, call.fs.set_attrs(fields.path, fields.attrs, false));
}

void handle_limits(Call& call, Request& request) {
  Packet packet(call.out, Type::kExtendedReply, 64);
  packet.body().u32(request.id);
  for (const auto value :
       {limits::kMaxPacketBytes, limits::kMaxReadBytes, limits::kMaxWriteBytes, limits::kMaxOpenHandles}) {
    packet.body().u64(value);
  }
  packet.send();
}

void handle_home_directory(Call& call, Request& request) {
  const auto& user = std::get<HomeFields>(request.body).user;
  if (!user.empty() && user != call.fs.identity().user.username) {
    return put_status(call.out, request.id, Code::kFailure, "no such user");
  }
  put_name(call.out, request.id, "/");
}

void handle_users_groups(Call& call, Request& request) {
  const core::VirtualPath root;
  if (!call.fs.features(root).owner_names) return put_status(call.out, request.id, Status::kUnsupported);
  const auto& fields = std::get<NamesFields>(request.body);
  const auto users = join_names(
      fields.users, [&](std::uint32_t id) -> const std::string& { return call.names.user(call.fs, root, id); });
  const auto groups = join_names(
      fields.groups, [&](std::uint32_t id) -> const std::string& { return call.names.group(call.fs, root, id); });
  Packet packet(call.out, Type::kExtendedReply, 32 + users.size() + groups.size());
  packet.body().u32(request.id);
  packet.body().text(users);
  packet.body().text(groups);
  packet.send();
}

// One slice per call; the fields are moved on so that the next call goes on behind it.
void handle_copy_data(Call& call, Request& request) {
  auto& fields = std::get<CopyFields>(request.body);
  auto* from = request.handle->file.get();
  auto* to = request.to->file.get();
  if (from == nullptr || to == nullptr || !from->readable() || !to->writable()) {
    return put_status(call.out, request.id, Code::kFailure, "not open for copying");
  }
  const bool same = request.handle->path == request.to->path;
  if (same && (fields.to_end || overlap(fields.from_offset, fields.to_offset, fields.length))) {
    return put_status(call.out, request.id, Code::kFailure, "ranges overlap");
  }
  if (fields.to_end && !fields.end_known) {
    // The end as it is now: source and target may be one file under two names, which would grow for ever.
    const auto size = from->size();
    if (!size) return put_status(call.out, request.id, size.error().status);
    fields.length = *size - std::min(fields.from_offset, *size);
    fields.end_known = true;
    if (fields.length == 0) return put_status(call.out, request.id, Status::kOk);
  }
  const auto room = kMaxOffset - std::max(fields.from_offset, fields.to_offset);
  const auto slice = std::min({kCopySliceBytes, room, fields.length});
  if (slice == 0) return put_status(call.out, request.id, Code::kFailure, "offset out of range");
  const auto copied = from->copy_to(*to, fields.from_offset, slice, fields.to_offset);
  if (!copied) return put_status(call.out, request.id, copied.error().status);
  if (*copied == 0) {
    return fields.to_end ? put_status(call.out, request.id, Status::kOk)
                         : put_status(call.out, request.id, Code::kEof, "end of file");
  }
  fields.from_offset += *copied;
  fields.to_offset += *copied;
  fields.length -= std::min(fields.length, *copied);
  if (fields.length == 0) return put_status(call.out, request.id, Status::kOk);
  call.again = true;
}

}  // namespace host::sftp
