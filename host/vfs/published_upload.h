// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "host/vfs/upload.h"

namespace host::vfs {

// The beginning of an upload to a storage that shows a file only when it is closed (kPublishOnClose).
core::Result<Upload::Opened> begin_published(const Context& context, const core::VirtualPath& path,
                                             const OpenPlan& plan, const core::Attrs& attrs);

}  // namespace host::vfs
