// SPDX-License-Identifier: Apache-2.0
//
// Fields of every request, checked against what the protocol and our limits allow; bytes behind the last field are
// tolerated. On the I/O thread. Knows no handler and no open file.
#include "host/sftp/requests.h"

#include <limits>
#include <utility>

#include "host/core/limits.h"

namespace host::sftp {
namespace {

using core::Attrs;
using core::VirtualPath;
namespace limits = core::limits;

constexpr Refused kMalformed{Code::kBadMessage, "malformed packet"};
constexpr Refused kBadName{Code::kFailure, "invalid file name"};
constexpr Refused kLongName{Code::kFailure, "name too long"};
constexpr Refused kBadOffset{Code::kFailure, "offset out of range"};
constexpr Refused kBadFlags{Code::kFailure, "invalid open flags"};
constexpr Refused kBadAttrs{Code::kFailure, "invalid attributes"};
constexpr Refused kTooManyNames{Code::kFailure, "too many names"};
constexpr Refused kNoSuchUser{Code::kFailure, "no such user"};
constexpr std::uint64_t kMaxOffset = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMaxLookups = 1024;  // names in one users-groups-by-id request

// True when `length` bytes at `offset` end beyond what a file can hold.
bool beyond(std::uint64_t offset, std::uint64_t length) { return offset > kMaxOffset || length > kMaxOffset - offset; }

// The text is fit for a path; otherwise `no` says why not.
bool take_name(Reader& in, std::string_view& text, Refused& no) {
  text = in.text();
  if (!in.ok()) {
    no = kMalformed;
  } else if (text.size() > limits::kMaxPathBytes) {
    no = kLongName;
  } else if (VirtualPath::has_nul(text)) {
    no = kBadName;
  } else {
    return true;
  }
  return false;
}

bool take_path(Reader& in, VirtualPath& path, Refused& no) {
  std::string_view text;
  if (!take_name(in, text, no)) return false;
  path = VirtualPath::clean(text);
  return true;
}

bool take_attrs(Reader& in, Attrs& attrs, Refused& no) {
  const bool sound = read_attrs(in, attrs);
  if (!in.ok()) {
    no = kMalformed;
    return false;
  }
  if (!sound) no = kBadAttrs;
  return sound;
}

// A handle of another length than ours is merely an unknown one.
HandleId take_handle(Reader& in) {
  const auto bytes = in.bytes();
  return bytes.size() == sizeof(HandleId) ? Reader(bytes).u64() : 0;
}

std::vector<std::uint32_t> take_ids(Reader& in, bool& sound) {
  const auto bytes = in.bytes();
  sound = sound && bytes.size() % 4 == 0;
  std::vector<std::uint32_t> ids;
  if (bytes.size() / 4 > kMaxLookups) return ids;
  ids.reserve(bytes.size() / 4);
  for (Reader list(bytes); list.left() >= 4;) ids.push_back(list.u32());
  return ids;
}

}  // namespace

bool read_attrs(Reader& in, Attrs& attrs) {
  const auto flags = in.u32();
  bool sound = true;
  if (flags & 1) {
    attrs.valid |= Attrs::kSize;
    attrs.size = in.u64();
    sound = attrs.size <= kMaxOffset;
  }
  if (flags & 2) {
    attrs.valid |= Attrs::kOwner;
    attrs.uid = in.u32();
    attrs.gid = in.u32();
  }
  if (flags & 4) {
    attrs.valid |= Attrs::kPerms;
    attrs.perms = in.u32() & 07777;
  }
  if (flags & 8) {
    attrs.valid |= Attrs::kAtime | Attrs::kMtime;
    attrs.atime_ns = std::int64_t{in.u32()} * 1'000'000'000;
    attrs.mtime_ns = std::int64_t{in.u32()} * 1'000'000'000;
  }
  if (flags & 0x80000000) {  // vendors' attributes: none that we know
    for (auto count = in.u32(); count > 0 && in.ok(); --count) {
      in.bytes();
      in.bytes();
    }
  }
  return sound && in.ok();
}

Body parse_none(Reader&) { return NoFields{}; }

Body parse_path(Reader& in) {
  PathFields out;
  Refused no;
  if (!take_path(in, out.path, no)) return no;
  return out;
}

Body parse_two_paths(Reader& in) {
  TwoPathFields out;
  Refused no;
  if (!take_path(in, out.path, no) || !take_path(in, out.to, no)) return no;
  return out;
}

Body parse_link(Reader& in) {
  LinkFields out;
  Refused no;
  std::string_view target, link;
  if (!take_name(in, target, no) || !take_name(in, link, no)) return no;
  if (target.empty() || link.empty()) return kBadName;
  out.target = target;
  out.link_text = link;
  out.path = core::VirtualPath::clean(link);
  return out;
}

Body parse_attrs(Reader& in) {
  AttrsFields out;
  Refused no;
  if (!take_path(in, out.path, no) || !take_attrs(in, out.attrs, no)) return no;
  return out;
}

// filexfer-02 section 6.3. Flags that change a file count as opening it for writing, so that they need the same rights.
Body parse_open(Reader& in) {
  constexpr std::uint32_t kRead = 1, kWrite = 2, kAppend = 4, kCreate = 8, kTruncate = 16, kExclusive = 32;
  OpenFields out;
  Refused no;
  if (!take_path(in, out.path, no)) return no;
  const auto flags = in.u32();
  if (!take_attrs(in, out.request.attrs, no)) return no;
  auto& request = out.request;
  request.read = flags & kRead;
  request.write = flags & (kWrite | kAppend | kCreate | kTruncate);
  request.create = flags & kCreate;
  request.exclusive = request.create && (flags & kExclusive);
  request.truncate = flags & kTruncate;
  request.append = flags & kAppend;
  if (!request.read && !request.write) return kBadFlags;
  return out;
}

Body parse_handle(Reader& in) {
  HandleFields out{take_handle(in)};
  if (!in.ok()) return kMalformed;
  return out;
}

Body parse_handle_attrs(Reader& in) {
  HandleAttrsFields out;
  out.handle = take_handle(in);
  Refused no;
  if (!take_attrs(in, out.attrs, no)) return no;
  return out;
}

Body parse_read(Reader& in) {
  ReadFields out;
  out.handle = take_handle(in);
  out.offset = in.u64();
  out.length = std::min(in.u32(), limits::kMaxReadBytes);
  if (!in.ok()) return kMalformed;
  if (beyond(out.offset, out.length)) return kBadOffset;
  return out;
}

Body parse_write(Reader& in) {
  WriteFields out;
  out.handle = take_handle(in);
  out.offset = in.u64();
  out.data = in.bytes();
  if (!in.ok()) return kMalformed;
  if (beyond(out.offset, out.data.size())) return kBadOffset;
  return out;
}

Body parse_copy(Reader& in) {
  CopyFields out;
  out.handle = take_handle(in);
  out.from_offset = in.u64();
  out.length = in.u64();
  out.to = take_handle(in);
  out.to_offset = in.u64();
  if (!in.ok()) return kMalformed;
  out.to_end = out.length == 0;
  if (beyond(out.from_offset, out.length) || beyond(out.to_offset, out.length)) return kBadOffset;
  return out;
}

Body parse_home(Reader& in) {
  HomeFields out;
  Refused no;
  std::string_view user;
  if (!take_name(in, user, no)) return no;
  out.user = user;
  return out;
}

// "~" and "~/x" are home, which is "/" here; other users' homes do not exist in this view.
Body parse_expand(Reader& in) {
  std::string_view text;
  Refused no;
  if (!take_name(in, text, no)) return no;
  if (text.starts_with('~')) {
    text.remove_prefix(1);
    if (!text.empty() && text.front() != '/') return kNoSuchUser;
  }
  return PathFields{VirtualPath::clean(text)};
}

Body parse_names(Reader& in) {
  NamesFields out;
  bool sound = true;
  const auto before = in.left();
  out.users = take_ids(in, sound);
  out.groups = take_ids(in, sound);
  if (!in.ok() || !sound) return kMalformed;
  if (before - in.left() > 8 + 4 * (out.users.size() + out.groups.size())) return kTooManyNames;
  return out;
}

}  // namespace host::sftp
