// SPDX-License-Identifier: Apache-2.0
//
// The notifier plugins, in their configured order. One object per server; it outlives whatever tells it something.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/result.h"
#include "host/events/event.h"
#include "host/plugin/notifier.h"

namespace host::events {

class Turns;

class Events {
 public:
  // `concurrency`: calls of each notifier at once. [setup]
  Events(std::vector<std::unique_ptr<plugin::Notifier>> notifiers, std::size_t concurrency);
  ~Events();  // stop()
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // Is anybody interested? Else nothing need be made of it. [quick]
  bool wants(Kind kind) const { return wanted_[static_cast<std::size_t>(kind)]; }
  // Never blocks; what there is no room for is dropped and counted.
  void tell(const FileEvent& event);
  void tell(const UserEvent& event);
  // Asks whether it may happen; anything but success means no: kBusy when nobody could be asked in time. May block, for
  // seconds.
  core::Result<void> decide(const FileEvent& event, std::uint64_t session_number);
  // Delivers what waits, within kDrainTime; the rest is dropped. Ends what runs. [setup]
  void stop();

 private:
  struct Target;
  void deliver(Kind kind, const std::string& username, std::string json);
  void note_dropped(std::uint64_t count);

  std::vector<std::unique_ptr<Target>> targets_;
  std::array<bool, static_cast<std::size_t>(Kind::kCount)> wanted_{};
  std::unique_ptr<Turns> turns_;                // of decisions
  std::atomic<std::int64_t> next_line_ns_ = 0;  // about what was dropped
  std::atomic<std::uint64_t> untold_ = 0;
};

}  // namespace host::events
