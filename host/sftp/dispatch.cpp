// SPDX-License-Identifier: Apache-2.0
//
// The protocol at a glance: filexfer-02 sections 6.1 to 6.11 and the extensions that OpenSSH's PROTOCOL file and
// draft-ietf-secsh-filexfer-extensions describe. A new request is a new row. Any thread: the table is constant.
#include "host/sftp/dispatch.h"

#include <array>
#include <utility>

#include "host/core/limits.h"

namespace host::sftp {
namespace {

using vfs::Features;

bool always(const Features&) { return true; }
bool can_replace(const Features& can) { return can.atomic_rename; }
bool can_statvfs(const Features& can) { return can.statvfs; }
bool can_hard_link(const Features& can) { return can.hard_links; }
bool can_copy(const Features& can) { return can.copy_data; }
bool can_sync(const Features& can) { return can.sync; }
bool can_set_attrs(const Features& can) { return can.set_attrs; }
bool can_name_owners(const Features& can) { return can.owner_names; }

// clang-format off
constexpr auto kRows = std::to_array<Row>({
    {Type::kInit,     "INIT",     Kind::kQuick,  parse_none,         handle_init},
    {Type::kOpen,     "OPEN",     Kind::kOpen,   parse_open,         handle_open},
    {Type::kClose,    "CLOSE",    Kind::kClose,  parse_handle,       handle_close},
    {Type::kRead,     "READ",     Kind::kRead,   parse_read,         handle_read},
    {Type::kWrite,    "WRITE",    Kind::kWrite,  parse_write,        handle_write},
    {Type::kLstat,    "LSTAT",    Kind::kWorker, parse_path,         handle_lstat},
    {Type::kFstat,    "FSTAT",    Kind::kWorker, parse_handle,       handle_fstat},
    {Type::kSetstat,  "SETSTAT",  Kind::kWorker, parse_attrs,        handle_setstat},
    {Type::kFsetstat, "FSETSTAT", Kind::kWorker, parse_handle_attrs, handle_fsetstat},
    {Type::kOpendir,  "OPENDIR",  Kind::kOpen,   parse_path,         handle_opendir},
    {Type::kReaddir,  "READDIR",  Kind::kWorker, parse_handle,       handle_readdir},
    {Type::kRemove,   "REMOVE",   Kind::kWorker, parse_path,         handle_remove},
    {Type::kMkdir,    "MKDIR",    Kind::kWorker, parse_attrs,        handle_mkdir},
    {Type::kRmdir,    "RMDIR",    Kind::kWorker, parse_path,         handle_rmdir},
    {Type::kRealpath, "REALPATH", Kind::kQuick,  parse_path,         handle_realpath},
    {Type::kStat,     "STAT",     Kind::kWorker, parse_path,         handle_stat},
    {Type::kRename,   "RENAME",   Kind::kWorker, parse_two_paths,    handle_rename},
    {Type::kReadlink, "READLINK", Kind::kWorker, parse_path,         handle_readlink},
    {Type::kSymlink,  "SYMLINK",  Kind::kWorker, parse_link,         handle_symlink},

    {Type::kExtended, "posix-rename@openssh.com", Kind::kWorker, parse_two_paths, handle_posix_rename, "1", can_replace},
    {Type::kExtended, "statvfs@openssh.com",      Kind::kWorker, parse_path,      handle_statvfs,      "2", can_statvfs},
    {Type::kExtended, "fstatvfs@openssh.com",     Kind::kWorker, parse_handle,    handle_fstatvfs,     "2", can_statvfs},
    {Type::kExtended, "hardlink@openssh.com",     Kind::kWorker, parse_two_paths, handle_hardlink,     "1", can_hard_link},
    {Type::kExtended, "fsync@openssh.com",        Kind::kWorker, parse_handle,    handle_fsync,        "1", can_sync},
    {Type::kExtended, "lsetstat@openssh.com",     Kind::kWorker, parse_attrs,     handle_lsetstat,     "1", can_set_attrs},
    {Type::kExtended, "limits@openssh.com",       Kind::kQuick,  parse_none,      handle_limits,       "1", always},
    {Type::kExtended, "expand-path@openssh.com",  Kind::kQuick,  parse_expand,    handle_realpath,     "1", always},
    {Type::kExtended, "copy-data",                Kind::kCopy,   parse_copy,      handle_copy_data,    "1", can_copy},
    {Type::kExtended, "home-directory",           Kind::kQuick,  parse_home,      handle_home_directory, "1", always},
    {Type::kExtended, "users-groups-by-id@openssh.com", Kind::kWorker, parse_names, handle_users_groups, "1", can_name_owners},
});
// clang-format on

constexpr Refused kUnknown{Code::kOpUnsupported, "operation unsupported"};
constexpr Refused kMalformed{Code::kBadMessage, "malformed packet"};

const Row* find_row(Type type, std::string_view extended_name) {
  for (const auto& row : kRows) {
    if (row.type == type && (type != Type::kExtended || row.name == extended_name)) return &row;
  }
  return nullptr;
}

}  // namespace

std::span<const Row> rows() { return kRows; }

std::optional<Request> parse_packet(std::span<const std::byte> packet, std::shared_ptr<const core::Block> memory) {
  Reader in(packet);
  const auto type = static_cast<Type>(in.u8());
  Request out;
  out.id = in.u32();  // of INIT: the client's version
  if (!in.ok()) return std::nullopt;
  out.wire_bytes = static_cast<std::uint32_t>(packet.size());
  const auto name = type == Type::kExtended ? in.text() : std::string_view();
  out.row = find_row(type, name);
  if (!in.ok()) {
    out.body = kMalformed;
  } else if (out.row == nullptr) {
    out.body = kUnknown;
  } else {
    out.body = out.row->parse(in);
    if (std::holds_alternative<WriteFields>(out.body)) out.memory = std::move(memory);
  }
  return out;
}

void run_request(Call& call, Request& request) {
  if (const auto* refused = std::get_if<Refused>(&request.body)) {
    put_status(call.out, request.id, refused->code, refused->text);
  } else {
    request.row->run(call, request);
  }
}

}  // namespace host::sftp
