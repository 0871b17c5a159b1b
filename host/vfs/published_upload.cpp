// SPDX-License-Identifier: Apache-2.0
//
// The storage itself keeps what is not whole out of sight, so there is no temporary name; until the end the old file is
// what is stored and counted. Where it can be continued, upload mode 2 shows a part as if it were all, for its client
// to come back to, as on other storages. On the storage's workers.
#include "host/vfs/published_upload.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "host/vfs/journal.h"
#include "host/vfs/whole_upload.h"

namespace host::vfs {
namespace {

using core::Attrs;
using core::Result;
using core::Status;
using plugin::OpenArgs;

// Where writes are in order: what is there is then the beginning of the file, whatever failed after it.
bool keeps_parts(const Context& context, const Place& place) {
  const auto& caps = place.fs->caps();
  return context.options.upload_mode == UploadMode::kAtomicResume && caps.has(plugin::FsCaps::kResume) &&
         !caps.has(plugin::FsCaps::kRandomWrite);
}

// Enough to see that a name means another file by now. Nothing: there is none, or nobody knows.
struct Seen {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  bool operator==(const Seen&) const = default;
};
std::optional<Seen> see(const Context& context, const Place& place) {
  const auto there = place.fs->stat(context.op_to_the_end(), place.path, true);
  if (!there) return std::nullopt;
  return Seen{there->size, there->mtime_ns};
}

class PublishedUpload final : public WholeUpload {
 public:
  PublishedUpload(const Context& context, Place place, core::VirtualPath path, std::int64_t makes_way, bool anew)
      : WholeUpload(context, makes_way), place_(std::move(place)), path_(std::move(path)), anew_(anew) {
    if (keeps_parts(context_, place_)) before_ = see(context_, place_);
  }

  Result<void> close(plugin::File& file, Ending ending) override {
    const bool commit = ending == Ending::kWhole;
    const bool fits = ending == Ending::kLost || (ending == Ending::kRefused && !(anew_ && before_));
    const bool part = fits && keeps_parts(context_, place_);
    const auto attrs = file.stat(context_.op_to_the_end());
    bool closed = false;
    Result<void> done = attrs ? core::ok() : Result<void>(attrs.error());
    if (done && (commit || (part && attrs->size > 0))) {
      done = publish(place_, path_, static_cast<std::int64_t>(attrs->size), [&]() -> Result<void> {
        // A part must not take the place of what its client has sent again meanwhile.
        if (!commit && see(context_, place_) != before_)
          return core::Error(Status::kConflict, "the name means another file by now");
        closed = true;
        return file.close(context_.op_to_the_end(), true);
      });
      if (!done && !commit) journal::transfer_failure(context_, "keep what has arrived of", place_, done.error());
    }
    if (!closed) {
      const auto ended = file.close(context_.op(), false);
      if (done) done = ended;
    }
    release();
    return done;
  }

 private:
  const Place place_;
  const core::VirtualPath path_;
  const bool anew_;             // not with what is under the name
  std::optional<Seen> before_;  // under the name, when the upload began
};

}  // namespace

Result<Upload::Opened> begin_published(const Context& context, const core::VirtualPath& path, const OpenPlan& plan,
                                       const Attrs& attrs) {
  const Place place = context.mounts.resolve(path);
  Upload::Opened opened;
  std::int64_t makes_way = 0;
  if (context.quota.counts()) {
    const auto size = counted_size(place.fs->stat(context.op(), place.path, true));
    makes_way = size.value_or(0);
    if (auto room = context.quota.usage->may_begin(context.quota.limits, !size); !room) return room.error();
  }
  const OpenArgs args{.flags = plan.flags, .attrs = &attrs};
  auto file = place.fs->open(context.op(), place.path, args);
  if (!file) return file.error();
  opened.file = *std::move(file);
  if (context.quota.counts() || keeps_parts(context, place))
    opened.upload =
        std::make_unique<PublishedUpload>(context, place, path, makes_way, (plan.flags & OpenArgs::kTruncate) != 0);
  return opened;
}

}  // namespace host::vfs
