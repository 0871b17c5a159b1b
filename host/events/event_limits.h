// SPDX-License-Identifier: Apache-2.0
//
// Limits of events. What operators may change is a key of the plugins section, and its default is there.
#pragma once

#include <chrono>
#include <cstddef>

namespace host::events {

inline constexpr std::size_t kMaxEventsWaiting = 10000;        // per notifier: beyond it new ones are dropped
inline constexpr std::size_t kUsersThatFillTheQueue = 4;       // one has at most this part of it
inline constexpr auto kNotifyTime = std::chrono::minutes(5);   // deadline of one call, repetitions included
inline constexpr auto kDecideTime = std::chrono::seconds(60);  // the same before something happens
// Others wait for their turn, each on a thread beside those of its storage (core::WorkerPool::Aside), at most
// kDecideTime.
inline constexpr std::size_t kDecisionsAtOnce = 8;
inline constexpr std::size_t kDecisionsWaiting = 256;
inline constexpr auto kDroppedLineEvery = std::chrono::seconds(10);  // log lines about what was dropped
inline constexpr auto kDrainTime = std::chrono::seconds(3);          // for what is left at the stop

}  // namespace host::events
