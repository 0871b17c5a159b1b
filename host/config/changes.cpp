// SPDX-License-Identifier: Apache-2.0
//
// Compares by the table of keys, so that no key is forgotten. Pure function; any thread.
#include "host/config/changes.h"

#include "host/config/assign_json.h"
#include "host/config/keys.h"

namespace host::config {

Changes changes(const Config& from, const Config& to) {
  Changes found;
  for (const Key& key : keys()) {
    if (value_text(from, key) == value_text(to, key)) continue;
    (key.has(Key::kLive) ? found.live : found.needs_restart).push_back(key.path);
  }
  return found;
}

}  // namespace host::config
