// SPDX-License-Identifier: Apache-2.0
//
// A file on its way to its name: where its bytes go until it is whole (upload_mode), what room they take (quotas), and
// what happens to name and counters when it ends. Belongs to the OpenFile it was made with; same threads.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>

#include "host/vfs/context.h"
#include "host/vfs/open_plan.h"

namespace host::vfs {

// A name with the links behind it followed.
struct LinkTarget {
  Place place;
  core::VirtualPath path;             // as clients see it
  std::optional<core::Attrs> before;  // nothing: there is no such file
};
core::Result<LinkTarget> follow_links(const Context& context, const core::VirtualPath& path);

class Upload {
 public:
  struct Opened {
    std::unique_ptr<plugin::File> file;
    std::unique_ptr<Upload> upload;  // null: nothing to be watched
  };
  // Opens `path` for writing as planned. May block.
  static core::Result<Opened> begin(const Context& context, const core::VirtualPath& path, const OpenPlan& plan,
                                    const core::Attrs& attrs);
  virtual ~Upload() = default;
  // The name of a file that has none yet.
  static bool is_temporary(std::string_view name);

  // Before bytes are written: kQuota when there is no room for the file to reach to `end`.
  virtual core::Result<void> make_room(std::uint64_t end) = 0;
  // The same for bytes that go behind the last.
  virtual core::Result<void> make_room_behind(std::uint64_t bytes) = 0;
  enum class Ending : std::uint8_t {
    kWhole,    // it gets its name
    kLost,     // its client is gone; upload mode 2 keeps what has come, for it to go on with
    kRefused,  // it failed while its client was there; the same, but where that would replace a file, the file stays
    kNothing,  // nothing comes of it
  };
  // Once.
  virtual core::Result<void> close(plugin::File& file, Ending ending) = 0;
};

}  // namespace host::vfs
