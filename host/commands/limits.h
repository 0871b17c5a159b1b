// SPDX-License-Identifier: Apache-2.0
//
// Limits of programs of the system that run for users.
#pragma once

#include <chrono>
#include <cstddef>

namespace host::commands::limits {

inline constexpr std::size_t kMaxPrograms = 256;                   // at once
inline constexpr std::size_t kMaxProgramsPerUser = 32;             // of them
inline constexpr std::size_t kProgramThreads = 4;                  // start programs
inline constexpr std::size_t kCountThreads = 2;                    // count what programs have left
inline constexpr auto kProgramStopTime = std::chrono::seconds(2);  // from SIGTERM to SIGKILL
inline constexpr std::size_t kProgramInput = 1024 * 1024;          // received and not taken: beyond it we stop
inline constexpr std::size_t kProgramOutput = 256 * 1024;          // read from it and unsent
inline constexpr std::size_t kProgramPart = 64 * 1024;             // moved at a time, what a pipe holds
inline constexpr std::size_t kMaxProgramWords = 256;
inline constexpr std::size_t kProgramStack = 64 * 1024;  // of the child until its program runs

}  // namespace host::commands::limits
