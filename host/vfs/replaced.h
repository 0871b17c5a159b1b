// SPDX-License-Identifier: Apache-2.0
//
// A regular file that is about to lose its name, to nothing or to another file, and what that means for the counters.
// Made with the name held, before the deed; on one worker.
#pragma once

#include <memory>

#include "host/vfs/context.h"

namespace host::vfs {

class Replaced {
 public:
  // Null: there is no such file, or nothing is counted.
  static std::unique_ptr<Replaced> look(const Context& context, const Place& place, const core::VirtualPath& path) {
    return look(context, place, path, context.op());
  }
  static std::unique_ptr<Replaced> look(const Context& context, const Place& place, const core::VirtualPath& path,
                                        const plugin::Op& op) {
    if (!context.quota.counts()) return nullptr;
    const auto size = counted_size(place.fs->stat(op, place.path, false));
    if (!size) return nullptr;
    return std::make_unique<Replaced>(context.quota, path, *size);
  }
  Replaced(const SessionQuota& quota, const core::VirtualPath& path, std::int64_t size)
      : usage_(*quota.usage), size_(size), file_(quota, path, [size] { return size; }) {}

  std::int64_t size() const { return size_; }
  // It is done: one file less.
  void count() { usage_.count({-file_.replaced(), -1}); }
  // The same, and another file has its name.
  void take_place() { usage_.count({-file_.replaced(), 0}); }

 private:
  UserUsage& usage_;
  const std::int64_t size_;
  InPlace file_;
};

}  // namespace host::vfs
