// SPDX-License-Identifier: Apache-2.0
//
// One file on its way out of an object store: chunks of it are fetched by range and served from memory. Reading in
// order makes chunks grow and be fetched ahead, several at once; reading here and there fetches little more than was
// asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <span>
#include <string>

#include "object-common/memory_budget.h"
#include "object-common/stop.h"
#include "object-common/task_pool.h"

namespace object_common {

using sallyport::Failure;
using sallyport::Outcome;

// The store's side of it.
class RangeSource {
 public:
  virtual ~RangeSource() = default;
  // Fills all of `into`. Blocks, retries by itself. Several at once, on any threads.
  virtual Outcome<void> fetch(const Stop& stop, std::uint64_t offset, std::span<std::byte> into) = 0;
  virtual std::string store() const { return {}; }  // what other sources may have in common with it
};

struct RangeLimits {
  std::size_t first_bytes = 256 * 1024;         // of a chunk where reading begins
  std::size_t largest_bytes = 4 * 1024 * 1024;  // of one when reading goes on and on
  int ahead = 4;                                // chunks that nobody has asked for yet
  int kept = 2;                                 // chunks kept although the reading has gone beyond them
};

class RangeReader {
 public:
  RangeReader(std::shared_ptr<RangeSource> source, std::uint64_t size, TaskPool& pool,
              std::shared_ptr<MemoryBudget> budget, const RangeLimits& limits);
  ~RangeReader();  // lets go of what is on its way
  RangeReader(const RangeReader&) = delete;
  RangeReader& operator=(const RangeReader&) = delete;

  // Bytes read; 0 is the end. Several at once.
  Outcome<std::size_t> read_at(const Stop& stop, std::span<std::byte> into, std::uint64_t offset);
  // The same without waiting for anything: all of it, up to the end, or nothing.
  std::optional<std::size_t> read_at_once(std::span<std::byte> into, std::uint64_t offset);
  std::uint64_t size() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace object_common
