// SPDX-License-Identifier: Apache-2.0
//
// The `filesystem` member of a user: 0, 1 and 2 with s3config and gcsconfig as the replaced system had them, or the
// name of any storage backend with its settings under `config`.
#pragma once

#include "host/users/user_json.h"

namespace host::users {

Json filesystem_to_json(const Filesystem& filesystem, Secrets secrets);
// Members that are absent keep their value, unless the backend changes.
core::Result<void> merge_filesystem(Filesystem& filesystem, const Json& json);

}  // namespace host::users
