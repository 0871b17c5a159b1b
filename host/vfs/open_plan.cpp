// SPDX-License-Identifier: Apache-2.0
//
// The rules of opening: download to read; upload for a file that is not there, overwrite for one that is; no opening of
// old content for writing where the mount cannot resume, unless it may be replaced. Pure functions, any thread; must
// not know a storage.
#include "host/vfs/open_plan.h"

namespace host::vfs {
namespace {

using core::Status;
using plugin::FsCaps;
using plugin::OpenArgs;

core::Result<OpenPlan> plan_read(std::uint32_t rights) {
  if ((rights & users::kDownload) == 0) return Status::kDenied;
  OpenPlan plan;
  plan.flags = OpenArgs::kRead;
  plan.readable = true;
  return plan;
}

// Reading through a handle opened to write. Programs ask for both and then only write (a "create" call of a widespread
// library does), so the missing right or capability refuses the reads, not the upload.
core::Result<void> plan_read_back(const OpenRequest& request, std::uint32_t rights, const FsCaps& caps,
                                  OpenPlan& plan) {
  if (!request.read) return core::ok();
  if (!caps.has(FsCaps::kReadWrite)) {
    const bool starts_empty = request.truncate || (request.create && request.exclusive);
    if (!starts_empty) return Status::kUnsupported;
    plan.read_refusal = Status::kUnsupported;
    return core::ok();
  }
  plan.readable = (rights & users::kDownload) != 0;
  return core::ok();
}

}  // namespace

core::Result<OpenPlan> plan_open(const OpenRequest& request, std::uint32_t rights, const FsCaps& caps) {
  const bool writes = request.write || request.append || request.create || request.truncate;
  if (!writes) {
    if (!request.read) return Status::kInvalid;
    auto plan = plan_read(rights);
    if (plan) plan->silent = request.digest;
    return plan;
  }
  const bool upload = (rights & users::kUpload) != 0;
  const bool overwrite = (rights & users::kOverwrite) != 0;
  if (!upload && !overwrite) return Status::kDenied;

  OpenPlan plan;
  plan.writable = true;
  plan.append = request.append;
  if (auto read_back = plan_read_back(request, rights, caps, plan); !read_back) return read_back.error();
  std::uint32_t flags = OpenArgs::kWrite;
  if (plan.readable) flags |= OpenArgs::kRead;
  // Without resume only an empty file gets here, and appending to that is plain writing.
  if (request.append && caps.has(FsCaps::kResume)) flags |= OpenArgs::kAppend;

  if (request.create && request.exclusive) {
    if (!upload) return Status::kDenied;
    plan.flags = flags | OpenArgs::kCreate | OpenArgs::kExclusive;
    return plan;
  }
  const bool keeps_content = !request.truncate;
  const bool cannot_resume = keeps_content && !caps.has(FsCaps::kResume);
  // Programs that write a file from its beginning without having it emptied first (OpenSSH's scp does) replace it, as
  // long as the old content stays until the new is known to cover it.
  plan.replaces = cannot_resume && caps.has(FsCaps::kPublishOnClose) && !request.append && overwrite;
  if (!overwrite || (cannot_resume && !plan.replaces)) {
    // Only a file that is not there yet may be opened.
    plan.if_exists = overwrite ? Status::kUnsupported : Status::kDenied;
    if (!upload) return plan.if_exists;
    plan.flags = request.create ? flags | OpenArgs::kCreate | OpenArgs::kExclusive : 0U;
    return plan;
  }
  if (request.truncate || plan.replaces) flags |= OpenArgs::kTruncate;
  if (request.create && upload) flags |= OpenArgs::kCreate;
  if (request.create && !upload) plan.if_missing = Status::kDenied;
  plan.flags = flags;
  return plan;
}

}  // namespace host::vfs
