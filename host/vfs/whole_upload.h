// SPDX-License-Identifier: Apache-2.0
//
// The counters of a file that others see only when it is whole: its room is taken while it grows and belongs to
// nobody's file until it has its name. Calls of several writers come at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "host/vfs/context.h"
#include "host/vfs/replaced.h"
#include "host/vfs/upload.h"

namespace host::vfs {

class WholeUpload : public Upload {
 public:
  ~WholeUpload() override { release(); }

  core::Result<void> make_room(std::uint64_t end) override {
    const std::lock_guard lock(mutex_);
    return grow(static_cast<std::int64_t>(end));
  }
  core::Result<void> make_room_behind(std::uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    return grow(end_ + static_cast<std::int64_t>(bytes));
  }

 protected:
  // `makes_way`: bytes of the file that will be replaced.
  WholeUpload(const Context& context, std::int64_t makes_way) : context_(context), room_(makes_way) {}

  // Gives the name by `name_it` and counts what comes of it. Nobody else changes what that name means meanwhile.
  template <class NameIt>
  core::Result<void> publish(const Place& place, const core::VirtualPath& path, std::int64_t size, NameIt&& name_it) {
    const auto names = context_.quota.hold(context_.op_to_the_end(), {path});
    if (!names) return names.error();
    auto replaced = Replaced::look(context_, place, path, context_.op_to_the_end());
    if (auto room = take_room(size, replaced.get()); !room) return room;
    core::Result<void> named = name_it();
    if (!context_.quota.counts()) return named;
    UserUsage& usage = *context_.quota.usage;
    if (named) usage.count({size, 0});
    if (!replaced && !named) usage.count({0, -1});
    if (replaced && named) replaced->take_place();
    return named;
  }
  void release() {
    if (reserved_ > 0) context_.quota.usage->release(std::exchange(reserved_, 0));
  }

  const Context& context_;

 private:
  core::Result<void> grow(std::int64_t end) {
    if (context_.quota.limits_size() && end > room_) {
      if (auto room = context_.quota.usage->reserve(context_.quota.limits, end - room_); !room) return room;
      reserved_ += end - room_;
      room_ = end;
    }
    end_ = std::max(end_, end);
    return core::ok();
  }
  // What was to make way may have gone meanwhile, and other new files may have come.
  core::Result<void> take_room(std::int64_t size, const Replaced* replaced) {
    const SessionQuota& quota = context_.quota;
    if (!quota.counts()) return core::ok();
    const std::int64_t missing = size - (replaced != nullptr ? replaced->size() : 0) - reserved_;
    if (quota.limits_size() && missing > 0) {
      if (auto room = quota.usage->reserve(quota.limits, missing); !room) return room;
      reserved_ += missing;
    }
    return replaced != nullptr ? core::ok() : quota.usage->take_file(quota.limits);
  }

  std::mutex mutex_;
  std::int64_t end_ = 0, room_ = 0, reserved_ = 0;  // bytes; under mutex_ while calls run
};

}  // namespace host::vfs
