// SPDX-License-Identifier: Apache-2.0
//
// Requests on names (filexfer-02 sections 4, 6.5, 6.6, 6.8 to 6.11). On workers, except INIT and REALPATH, which touch
// no storage. What a mount cannot do is refused here, before the storage is asked.
#include "host/core/limits.h"
#include "host/sftp/dispatch.h"
#include "host/sftp/replies.h"

namespace host::sftp {
namespace {

using core::Status;

const core::VirtualPath& path_of(const Request& request) { return std::get<PathFields>(request.body).path; }

void stat(Call& call, const Request& request, bool follow) {
  const auto attrs = call.fs.stat(path_of(request), follow);
  if (!attrs) return put_status(call.out, request.id, attrs.error().status);
  put_attrs(call.out, request.id, *attrs);
}

}  // namespace

// VERSION is always 3: a client that speaks less has to cope or go, one that speaks more must come down to us.
void handle_init(Call& call, Request&) {
  const auto can = call.fs.features(core::VirtualPath());
  Packet packet(call.out, Type::kVersion, 1536);
  packet.body().u32(3);
  for (const auto& row : rows()) {
    if (row.offered == nullptr || !row.offered(can)) continue;
    packet.body().text(row.name);
    packet.body().text(row.version);
  }
  packet.send();
}

void handle_stat(Call& call, Request& request) { stat(call, request, true); }
void handle_lstat(Call& call, Request& request) { stat(call, request, false); }

void handle_setstat(Call& call, Request& request) {
  const auto& fields = std::get<AttrsFields>(request.body);
  put_result(call.out, request.id, call.fs.set_attrs(fields.path, fields.attrs, true));
}

void handle_remove(Call& call, Request& request) { put_result(call.out, request.id, call.fs.remove(path_of(request))); }

void handle_mkdir(Call& call, Request& request) {
  const auto& fields = std::get<AttrsFields>(request.body);
  put_result(call.out, request.id, call.fs.mkdir(fields.path, fields.attrs));
}

void handle_rmdir(Call& call, Request& request) {
  const auto result = call.fs.rmdir(path_of(request));
  // Here the path exists and is something else: "no such file" would be wrong.
  if (!result && result.error().status == Status::kNotDir) {
    return put_status(call.out, request.id, Code::kFailure, core::describe(Status::kNotDir));
  }
  put_result(call.out, request.id, result);
}

void handle_realpath(Call& call, Request& request) { put_name(call.out, request.id, path_of(request).str()); }

void handle_rename(Call& call, Request& request) {
  const auto& fields = std::get<TwoPathFields>(request.body);
  put_result(call.out, request.id, call.fs.rename(fields.path, fields.to, false));
}

void handle_readlink(Call& call, Request& request) {
  if (!call.fs.features(path_of(request)).symlinks) return put_status(call.out, request.id, Status::kUnsupported);
  const auto target = call.fs.read_link(path_of(request));
  if (!target) return put_status(call.out, request.id, target.error().status);
  if (target->size() > core::limits::kMaxPathBytes) return put_status(call.out, request.id, Status::kNameTooLong);
  put_name(call.out, request.id, *target);
}

void handle_symlink(Call& call, Request& request) {
  auto& fields = std::get<LinkFields>(request.body);
  // Nearly every client sends the target first, as OpenSSH has always done against filexfer-02 section 6.10.
  if (call.fs.identity().links_by_draft) {
    fields.path = core::VirtualPath::clean(fields.target);
    std::swap(fields.target, fields.link_text);
  }
  if (!call.fs.features(fields.path).symlinks) return put_status(call.out, request.id, Status::kUnsupported);
  put_result(call.out, request.id, call.fs.symlink(fields.target, fields.path));
}

}  // namespace host::sftp
