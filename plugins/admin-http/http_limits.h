// SPDX-License-Identifier: Apache-2.0
//
// Every limit of the HTTP server, in one place.
#pragma once

#include <chrono>
#include <cstddef>

namespace admin_http::limits {

inline constexpr int kThreads = 64;  // connections served at once
inline constexpr int kNice = 10;     // of these threads: 110 parts of a processor where others get 1024
inline constexpr auto kSlice = std::chrono::nanoseconds(100'000);  // their turns, since Linux 6.12
inline constexpr int kQueued = 128;                                // accepted and waiting for a thread; more are closed
inline constexpr int kBacklog = 128;
inline constexpr std::size_t kBodyBytes = 1048576;
inline constexpr std::size_t kDiscardedBytes =
    16 * kBodyBytes;                                          // of a body that is too large, so that the answer is seen
inline constexpr auto kLastAnswer = std::chrono::seconds(1);  // to take it at a stop; an impatient one leaves 3 for all
// For threads whose client was cut off to find that out: they may wait for a processor.
inline constexpr auto kStragglers = std::chrono::seconds(30);
inline constexpr std::size_t kChunkLineBytes = 256;   // its size and extensions
inline constexpr std::size_t kTrailerBytes = 8192;    // dropped
inline constexpr std::size_t kOnePieceBytes = 65536;  // of an answer
inline constexpr int kRequestsPerConnection = 1000;
inline constexpr std::size_t kPasswordFileBytes = 1048576;
inline constexpr std::size_t kRememberedLogins = 64;
inline constexpr std::size_t kLoggedTextBytes = 1024;
inline constexpr int kDefaultUsers = 100, kMostUsers = 500;  // per page

// What a client gets. As values, because a test that waits for them needs shorter ones.
struct Times {
  std::chrono::seconds silence{10};  // in the middle of something
  std::chrono::seconds request{60};  // from the connection, or the answer before, to the request's last byte
  std::chrono::seconds answer{60};   // to take it
  std::chrono::seconds idle{10};     // between requests: each connection holds a thread
};

}  // namespace admin_http::limits
