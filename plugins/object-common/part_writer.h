// SPDX-License-Identifier: Apache-2.0
//
// One file on its way into an object store. Data is gathered into parts; a full one goes up on the pool while the next
// is filled. A file smaller than one part goes up in one request, at the end. Nothing is visible before finish().
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <span>
#include <string>

#include "object-common/memory_budget.h"
#include "object-common/page_buffer.h"
#include "object-common/stop.h"
#include "object-common/task_pool.h"

namespace object_common {

using sallyport::Failure;
using sallyport::Outcome;

// What a store wants to be told of a part besides its data, a digest for one. It sees the data when it comes, while the
// processor has it at hand: a pass over the whole part later takes half as long again. One thread at a time.
class PartSum {
 public:
  virtual ~PartSum() = default;
  virtual void add(std::span<const std::byte> data) = 0;
};

struct PartData {
  std::span<const std::byte> bytes;
  PartSum* sum = nullptr;  // of all of them; null: the target makes none, or there is no data
};

// The store's side of it. Calls block and retry by themselves.
class PartTarget {
 public:
  virtual ~PartTarget() = default;
  virtual std::unique_ptr<PartSum> new_sum() { return nullptr; }  // for each part that gets data
  virtual Outcome<void> put_whole(const Stop& stop, const PartData& data) = 0;
  virtual Outcome<void> begin(const Stop& stop) = 0;
  // Numbers begin with 1. Several at once, on any threads.
  virtual Outcome<void> put_part(const Stop& stop, int number, const PartData& data) = 0;
  virtual Outcome<void> complete(const Stop& stop, int parts) = 0;
  virtual void abort() = 0;                         // after begin: takes all parts back
  virtual std::string store() const { return {}; }  // what other targets may have in common with it
};

struct PartLimits {
  std::size_t part_bytes = 8 * 1024 * 1024;  // of the first parts
  int concurrency = 3;                       // parts on their way at once, as long as they are no larger
  int max_parts = 10'000;
  std::size_t min_part_bytes = 5 * 1024 * 1024;    // of all but the last
  std::size_t max_part_bytes = 640 * 1024 * 1024;  // where doubling ends; no more than one user's memory
};

// The size of part `number`: it doubles every 250 parts up to the largest, so that ten thousand hold 5 TiB.
std::size_t part_bytes(const PartLimits& limits, int number);
// How many of that size may be on their way, besides the one that is filled: no more bytes than the first parts take in
// all, but one at least.
int parts_at_once(const PartLimits& limits, std::size_t part_bytes);

class PartWriter {
 public:
  PartWriter(std::shared_ptr<PartTarget> target, TaskPool& pool, std::shared_ptr<MemoryBudget> budget,
             const PartLimits& limits);
  ~PartWriter();  // aborts what was not finished
  PartWriter(const PartWriter&) = delete;
  PartWriter& operator=(const PartWriter&) = delete;

  // Behind what was appended before. One at a time.
  Outcome<void> append(const Stop& stop, std::span<const std::byte> data);
  // The same with a part that needs no data from here: `make` has the store copy it under the number it is given. Only
  // where may_append_part() says so; no more than one such part of less than the least size, as the last of all.
  using Make = std::function<Outcome<void>(const Stop& stop, int number)>;
  bool may_append_part() const { return !filling_ || filling_->size >= limits_.min_part_bytes; }
  Outcome<void> append_part(const Stop& stop, std::uint64_t bytes, Make make);
  // Makes the file visible, or leaves nothing behind. Once; nothing after it.
  Outcome<void> finish(const Stop& stop);
  void abort();
  std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }  // any thread

 private:
  struct Part {
    int number = 0;
    Held held;
    std::size_t size = 0, room = 0;  // what there is, and may be until more is reserved
    std::unique_ptr<PartSum> sum;
    Make make;  // instead of data
    PartData data() const { return {{held.pages.data(), size}, sum.get()}; }
  };
  Outcome<void> make_room(const Stop& stop, std::size_t whole);
  Outcome<void> wait_for_memory(const Stop& stop, std::size_t least);
  Outcome<void> begin_part();
  Outcome<void> send(const Stop& stop);
  void upload(const std::shared_ptr<Part>& part);
  Outcome<void> wait_until(const Stop& stop, int in_flight);
  std::optional<Failure> failure();

  const std::shared_ptr<PartTarget> target_;
  TaskPool& pool_;
  const std::shared_ptr<MemoryBudget> budget_;
  const PartLimits limits_;
  const std::shared_ptr<Spares> spares_ = std::make_shared<Spares>(1);  // one is filled while another goes up
  std::shared_ptr<Part> filling_;
  int sent_ = 0;
  bool begun_ = false, ended_ = false;
  std::atomic<std::uint64_t> size_ = 0;
  std::atomic<bool> given_up_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;               // under mutex_
  std::optional<Failure> failure_;  // the first; under mutex_
};

}  // namespace object_common
