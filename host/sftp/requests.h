// SPDX-License-Identifier: Apache-2.0
//
// What a client asks, as structs by shape. A parser reads the fields behind type and id (and behind the name of an
// extended request); what it cannot accept becomes a Refused that is answered in turn like any other request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/core/attrs.h"
#include "host/core/block.h"
#include "host/core/vpath.h"
#include "host/sftp/handles.h"
#include "host/sftp/status_map.h"
#include "host/sftp/wire.h"

namespace host::sftp {

struct Row;  // dispatch.h

struct Refused {
  Code code = Code::kFailure;
  std::string_view text;  // static
};

struct NoFields {};
struct PathFields {
  core::VirtualPath path;
};
struct TwoPathFields {
  core::VirtualPath path, to;
};
struct LinkFields {
  std::string target;      // as sent
  core::VirtualPath path;  // of the link
  std::string link_text;   // the same as sent
};
struct AttrsFields {
  core::VirtualPath path;
  core::Attrs attrs;
};
struct OpenFields {
  core::VirtualPath path;
  vfs::OpenRequest request;
};
struct HandleFields {
  HandleId handle = 0;
};
struct HandleAttrsFields {
  HandleId handle = 0;
  core::Attrs attrs;
};
struct ReadFields {
  HandleId handle = 0;
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};
struct WriteFields {
  HandleId handle = 0;
  std::uint64_t offset = 0;
  std::span<const std::byte> data;  // inside Request::memory
};
struct CopyFields {
  HandleId handle = 0;  // source
  HandleId to = 0;
  std::uint64_t from_offset = 0, length = 0, to_offset = 0;  // length 0: to the end
  bool to_end = false;
  bool end_known = false;  // to_end, and length says by now how far that is
};
struct HomeFields {
  std::string user;
};
struct NamesFields {
  std::vector<std::uint32_t> users, groups;
};

using Body =
    std::variant<Refused, NoFields, PathFields, TwoPathFields, LinkFields, AttrsFields, OpenFields, HandleFields,
                 HandleAttrsFields, ReadFields, WriteFields, CopyFields, HomeFields, NamesFields>;

// A request on its way from arrival to reply. Body::Refused carries no row.
struct Request {
  const Row* row = nullptr;
  std::uint32_t id = 0;
  std::uint32_t wire_bytes = 0;  // what it counts against the queue limit
  std::uint32_t paid_bytes = 0;  // under a bandwidth limit
  std::uint32_t read_bytes = 0;  // by a READ that is done
  Body body;
  std::shared_ptr<const core::Block> memory;  // what WriteFields::data points into
  core::Block part;                           // of a READ's data, read before it had to wait
  std::shared_ptr<OpenHandle> handle, to;     // looked up when the request is started
};

// Parsers, one per shape.
Body parse_none(Reader& in);
Body parse_path(Reader& in);
Body parse_two_paths(Reader& in);
Body parse_link(Reader& in);  // OpenSSH's order: target, link
Body parse_attrs(Reader& in);
Body parse_open(Reader& in);
Body parse_handle(Reader& in);
Body parse_handle_attrs(Reader& in);
Body parse_read(Reader& in);
Body parse_write(Reader& in);
Body parse_copy(Reader& in);
Body parse_home(Reader& in);
Body parse_expand(Reader& in);
Body parse_names(Reader& in);

// The attributes of filexfer-02 section 5; false when a value cannot be meant.
bool read_attrs(Reader& in, core::Attrs& attrs);

}  // namespace host::sftp
