// SPDX-License-Identifier: Apache-2.0
//
// The `filesystem` member of a user: 0, 1 and 2 with s3config and gcsconfig as the replaced system had them, or the
// name of any storage backend with its settings under `config`.
#pragma once

#include "host/users/user_json.h"

namespace host::users {

// Blanked it is without any text: which of them are secret is not known here (public_json.h knows).
Json filesystem_to_json(const Filesystem& filesystem, Secrets secrets);
// Members that are absent keep their value, unless the backend changes.
core::Result<void> merge_filesystem(Filesystem& filesystem, const Json& json);
// Takes out of s3config and gcsconfig what is empty or 0: it means the same as what is not there, but as a change it
// clears a setting. So it is done last.
void drop_empty_settings(Filesystem& filesystem);

}  // namespace host::users
