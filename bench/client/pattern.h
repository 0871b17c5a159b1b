// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bench::client {

// Test data that proves where it belongs: every 1 KiB block begins with its own offset (big endian), the rest is fixed
// noise. A reply, or a stored file, with misplaced or missing data is then found almost for free.
constexpr std::uint64_t kPatternBlock = 1024;

// Noise without tags. `size_bytes` is a multiple of kPatternBlock.
std::vector<std::uint8_t> make_pattern(std::size_t size_bytes);
// Writes the tags for `offset`, which must be a multiple of kPatternBlock.
void stamp_pattern(std::span<std::uint8_t> bytes, std::uint64_t offset);

void write_pattern_file(const std::string& path, std::uint64_t size_bytes);
// Throws when size or any byte differs.
void check_pattern_file(const std::string& path, std::uint64_t size_bytes);

}  // namespace bench::client
