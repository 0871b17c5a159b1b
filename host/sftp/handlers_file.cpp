// SPDX-License-Identifier: Apache-2.0
//
// Requests on files by handle (filexfer-02 sections 6.3, 6.4, 6.8, 6.9). On workers, except read_in_place. The channel
// has looked the handle up and sees to it that nothing else conflicts.
#include <algorithm>
#include <cstring>

#include "host/sftp/handlers.h"
#include "host/sftp/replies.h"

namespace host::sftp {

using core::Status;

namespace {

// What was read before a READ had to wait: kept, so that no byte is read, and counted, twice.
void keep(Request& request, std::span<const std::byte> part) {
  if (part.empty()) return;
  request.part = core::Block::take(part.size());
  std::memcpy(request.part.room().data(), part.data(), part.size());
  request.part.grow(part.size());
}

// Short replies are legal, but clients answer them with more and smaller requests: a storage that gives a part is asked
// for the rest. False, and nothing put out, when that would have to wait.
template <class Read>
bool read_and_reply(core::BlockQueue& out, Request& request, Read read) {
  const auto& fields = std::get<ReadFields>(request.body);
  const auto room = data_room(out, fields.length);
  auto total = request.part.size();
  if (total > 0) std::memcpy(room.data(), request.part.data().data(), total);
  while (total < room.size()) {
    const core::Result<std::size_t> got = read(room.subspan(total), fields.offset + total);
    if (!got && got.error().status == Status::kWouldBlock) {
      keep(request, room.first(total));
      return false;
    }
    if (!got && total == 0) {
      put_status(out, request.id, got.error().status);
      return true;
    }
    if (!got || *got == 0) break;  // an error behind good data is met again by the next request
    total += std::min(*got, room.size() - total);
  }
  if (total == 0 && !room.empty()) {
    put_status(out, request.id, Code::kEof, "end of file");
  } else {
    send_data(out, room, request.id, total);
    request.read_bytes = static_cast<std::uint32_t>(total);
  }
  return true;
}

}  // namespace

void handle_open(Call& call, Request& request) {
  const auto& fields = std::get<OpenFields>(request.body);
  auto file = call.fs.open(fields.path, fields.request);
  if (!file) return put_status(call.out, request.id, file.error().status);
  if (request.handle->download && (*file)->readable()) {
    if (const auto size = (*file)->size()) request.handle->size_at_open = *size;
  }
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
  auto* file = request.handle->file.get();
  if (file == nullptr || !file->readable()) {
    return put_status(call.out, request.id, Code::kFailure, "not open for reading");
  }
  const bool replied =
      read_and_reply(call.out, request, [file](auto into, auto offset) { return file->read_at(into, offset); });
  if (!replied) put_status(call.out, request.id, Status::kWouldBlock);
}

bool read_in_place(core::BlockQueue& out, Request& request) {
  auto* file = request.handle->file.get();
  return read_and_reply(out, request, [file](auto into, auto offset) { return file->try_read_at(into, offset); });
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
