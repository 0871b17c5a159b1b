// SPDX-License-Identifier: Apache-2.0
//
// Requests on files by handle (filexfer-02 sections 6.3, 6.4, 6.8, 6.9). On workers, except read_in_place. The channel
// has looked the handle up and sees to it that nothing else conflicts.
#include "host/sftp/handlers.h"
#include "host/sftp/replies.h"

namespace host::sftp {

using core::Status;

void handle_open(Call& call, Request& request) {
  const auto& fields = std::get<OpenFields>(request.body);
  auto file = call.fs.open(fields.path, fields.request);
  if (!file) return put_status(call.out, request.id, file.error().status);
  request.handle->append = fields.request.append;
  request.handle->file = std::move(*file);
  put_handle(call.out, request.id, request.handle->id);
}

void handle_close(Call& call, Request& request) {
  auto& handle = *request.handle;
  if (handle.dir) {
    handle.dir.reset();
    return put_status(call.out, request.id, Status::kOk);
  }
  const auto closed = handle.file->close(handle.write_refused);
  handle.file.reset();
  if (handle.write_refused) return put_status(call.out, request.id, Code::kFailure, "incomplete, not stored");
  put_result(call.out, request.id, closed);
}

void handle_read(Call& call, Request& request) {
  const auto& fields = std::get<ReadFields>(request.body);
  auto* file = request.handle->file.get();
  if (file == nullptr || !file->readable()) {
    return put_status(call.out, request.id, Code::kFailure, "not open for reading");
  }
  const auto room = data_room(call.out, fields.length);
  const auto got = fields.length == 0 ? core::Result<std::size_t>(0) : file->read_at(room, fields.offset);
  if (!got) return put_status(call.out, request.id, got.error().status);
  if (*got == 0 && fields.length > 0) return put_status(call.out, request.id, Code::kEof, "end of file");
  send_data(call.out, room, request.id, *got);
}

bool read_in_place(core::BlockQueue& out, const Request& request) {
  const auto& fields = std::get<ReadFields>(request.body);
  const auto room = data_room(out, fields.length);
  const auto got = request.handle->file->try_read_at(room, fields.offset);
  if (!got) {
    if (got.error().status == Status::kWouldBlock) return false;
    put_status(out, request.id, got.error().status);
  } else if (*got == 0) {
    put_status(out, request.id, Code::kEof, "end of file");
  } else {
    send_data(out, room, request.id, *got);
  }
  return true;
}

void handle_write(Call& call, Request& request) {
  const auto& fields = std::get<WriteFields>(request.body);
  auto* file = request.handle->file.get();
  if (file == nullptr || !file->writable()) {
    return put_status(call.out, request.id, Code::kFailure, "not open for writing");
  }
  if (fields.data.empty()) return put_status(call.out, request.id, Status::kOk);
  put_result(call.out, request.id, file->write_at(fields.data, fields.offset));
  request.memory.reset();  // as early as possible: a batch may hold much
}

void handle_fstat(Call& call, Request& request) {
  auto& handle = *request.handle;
  const auto attrs = handle.file ? handle.file->stat() : call.fs.stat(handle.path, true);
  if (!attrs) return put_status(call.out, request.id, attrs.error().status);
  put_attrs(call.out, request.id, *attrs);
}

void handle_fsetstat(Call& call, Request& request) {
  const auto& attrs = std::get<HandleAttrsFields>(request.body).attrs;
  auto& handle = *request.handle;
  put_result(call.out, request.id,
             handle.file ? handle.file->set_attrs(attrs) : call.fs.set_attrs(handle.path, attrs, true));
}

}  // namespace host::sftp
