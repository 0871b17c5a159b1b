// SPDX-License-Identifier: Apache-2.0
//
// Makes and checks the test data. Local files only.
#include "bench/client/pattern.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <stdexcept>

namespace bench::client {
namespace {

constexpr std::size_t kChunk = 1 << 20;

std::span<char> as_chars(std::vector<std::uint8_t>& bytes, std::uint64_t size) {
  return {reinterpret_cast<char*>(bytes.data()), static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes.size()))};
}

}  // namespace

std::vector<std::uint8_t> make_pattern(std::size_t size_bytes) {
  std::vector<std::uint8_t> bytes(size_bytes);
  for (std::size_t i = 0; i < bytes.size(); i++) {
    // Period kPatternBlock, so that a write of any length that starts on a block boundary finds the same noise.
    const auto place = static_cast<std::uint32_t>(i % kPatternBlock);
    bytes[i] = static_cast<std::uint8_t>(place * 2654435761U >> 13);
  }
  return bytes;
}

void stamp_pattern(std::span<std::uint8_t> bytes, std::uint64_t offset) {
  for (std::size_t i = 0; i + 8 <= bytes.size(); i += kPatternBlock) {
    for (std::size_t k = 0; k < 8; k++) {
      bytes[i + k] = static_cast<std::uint8_t>((offset + i) >> (56 - 8 * k));
    }
  }
}

void write_pattern_file(const std::string& path, std::uint64_t size_bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  auto chunk = make_pattern(kChunk);
  for (std::uint64_t offset = 0; offset < size_bytes && file; offset += kChunk) {
    stamp_pattern(chunk, offset);
    const auto part = as_chars(chunk, size_bytes - offset);
    file.write(part.data(), static_cast<std::streamsize>(part.size()));
  }
  file.close();
  if (!file) {
    throw std::runtime_error("cannot write " + path);
  }
}

void check_pattern_file(const std::string& path, std::uint64_t size_bytes) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file || static_cast<std::uint64_t>(file.tellg()) != size_bytes) {
    throw std::runtime_error(path + " is missing or has the wrong size");
  }
  file.seekg(0);
  auto wanted = make_pattern(kChunk);
  std::vector<std::uint8_t> found(kChunk);
  for (std::uint64_t offset = 0; offset < size_bytes; offset += kChunk) {
    stamp_pattern(wanted, offset);
    const auto part = as_chars(found, size_bytes - offset);
    file.read(part.data(), static_cast<std::streamsize>(part.size()));
    if (!file || !std::equal(part.begin(), part.end(), as_chars(wanted, size_bytes - offset).begin())) {
      throw std::runtime_error(path + " has wrong bytes in the MiB at " + std::to_string(offset));
    }
  }
}

}  // namespace bench::client
