// SPDX-License-Identifier: Apache-2.0
//
// Listings (filexfer-02 section 6.7): each READDIR fills one reply, bounded in entries and bytes, straight from the
// storage's own iteration; nothing of a directory is kept between replies. On workers, one READDIR at a time.
#include <chrono>
#include <string>

#include "host/core/limits.h"
#include "host/sftp/handlers.h"
#include "host/sftp/longname.h"
#include "host/sftp/replies.h"

namespace host::sftp {
namespace {

namespace limits = core::limits;

constexpr std::size_t kCountAt = 9;  // of the number of names in a NAME packet, behind length, type and id
// A storage that says "more" this often in a row without naming an entry is taken for broken.
constexpr int kMaxEmptyRounds = 1000;

class Listing {
 public:
  Listing(Call& call, const Request& request)
      : call_(call),
        request_(request),
        packet_(call.out, Type::kName, limits::kMaxReaddirBytes),
        now_s_(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                   .count()) {
    packet_.body().u32(request.id);
    packet_.body().u32(0);
  }

  // False when the entry has to wait for the next reply.
  bool add(std::string_view name, const core::Attrs& attrs) {
    if (name == "." || name == ".." || name.size() > limits::kMaxPathBytes) return true;
    if (count_ >= limits::kMaxReaddirEntries) return false;
    name_owner(attrs);
    line_.clear();
    append_longname(line_, {.name = name, .user = user_, .group = group_, .attrs = attrs, .now_s = now_s_});
    auto& out = packet_.body();
    if (out.left() < 4 + name.size() + 4 + line_.size() + kAttrsBytes) return false;
    out.text(name);
    out.text(line_);
    encode_attrs(out, attrs);
    ++count_;
    return true;
  }

  std::uint32_t count() const { return count_; }

  void send() {
    packet_.body().set_u32(kCountAt, count_);
    packet_.send();
  }

 private:
  void name_owner(const core::Attrs& attrs) {
    const bool known = attrs.has(core::Attrs::kOwner);
    const auto uid = known ? attrs.uid : 0;
    const auto gid = known ? attrs.gid : 0;
    if (!user_.empty() && uid == uid_ && gid == gid_) return;
    uid_ = uid;
    gid_ = gid;
    user_ = call_.names.user(call_.fs, request_.handle->path, uid);
    group_ = call_.names.group(call_.fs, request_.handle->path, gid);
  }

  Call& call_;
  const Request& request_;
  Packet packet_;
  const std::int64_t now_s_;
  std::uint32_t count_ = 0;
  std::uint32_t uid_ = 0, gid_ = 0;
  std::string user_, group_, line_;
};

}  // namespace

void handle_opendir(Call& call, Request& request) {
  auto dir = call.fs.open_dir(std::get<PathFields>(request.body).path);
  if (!dir) return put_status(call.out, request.id, dir.error().status);
  request.handle->dir = std::move(*dir);
  put_handle(call.out, request.id, request.handle->id);
}

void handle_readdir(Call& call, Request& request) {
  auto& handle = *request.handle;
  if (!handle.dir) return put_status(call.out, request.id, Code::kFailure, "not a directory handle");
  Listing listing(call, request);
  for (int round = 0; !handle.dir_at_end && listing.count() == 0; ++round) {
    const auto done =
        handle.dir->next(limits::kMaxReaddirEntries,
                         [&listing](std::string_view name, const auto& attrs) { return listing.add(name, attrs); });
    if (!done || round == kMaxEmptyRounds) {
      if (listing.count() > 0) break;  // the names first; the next request meets the error again
      return put_status(call.out, request.id, done ? core::Status::kIo : done.error().status);
    }
    handle.dir_at_end = *done;
  }
  if (listing.count() == 0) return put_status(call.out, request.id, Code::kEof, "end of directory");
  listing.send();
}

}  // namespace host::sftp
