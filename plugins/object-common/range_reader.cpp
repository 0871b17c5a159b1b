// SPDX-License-Identifier: Apache-2.0
//
// Chunks stand in a short list, at most `ahead` and `kept` and a few. What a reader needs at once it fetches itself, on
// the host's worker; what comes after runs on the pool, as far as pool and memory have room: both only make it faster.
#include "object-common/range_reader.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace object_common {
namespace {

constexpr auto kGlance = std::chrono::milliseconds(100);  // how often a wait looks at its `stop`

}  // namespace

struct RangeReader::State : std::enable_shared_from_this<State> {
  struct Chunk {
    std::uint64_t offset = 0;
    std::size_t length = 0;
    bool ready = false;
    std::optional<Failure> failure;
    std::vector<std::byte> data;
    Share share;
    std::uint64_t end() const { return offset + length; }
    bool holds(std::uint64_t at) const { return at >= offset && at < end(); }
  };
  using ChunkPtr = std::shared_ptr<Chunk>;

  State(std::shared_ptr<RangeSource> source_in, std::uint64_t size_in, TaskPool& pool_in,
        std::shared_ptr<MemoryBudget> budget_in, const RangeLimits& limits_in)
      : source(std::move(source_in)), size(size_in), pool(pool_in), budget(std::move(budget_in)), limits(limits_in) {}

  ChunkPtr find(std::uint64_t at) const;
  ChunkPtr add(std::uint64_t offset, bool needed);
  void fetch(const ChunkPtr& chunk, const Stop& stop);
  void read_ahead(std::uint64_t at);
  void forget(std::uint64_t at);

  const std::shared_ptr<RangeSource> source;
  const std::uint64_t size;
  TaskPool& pool;
  const std::shared_ptr<MemoryBudget> budget;
  const RangeLimits limits;
  std::atomic<bool> closed = false;
  std::mutex mutex;
  std::condition_variable changed;
  // Under mutex:
  std::list<ChunkPtr> chunks;
  std::uint64_t frontier = 0;  // where the chunks of the present run of reading end
  std::size_t next_bytes = 0;  // of the next chunk there
  int run = 0;                 // chunks in this run
};

RangeReader::State::ChunkPtr RangeReader::State::find(std::uint64_t at) const {
  const auto found = std::ranges::find_if(chunks, [&](const ChunkPtr& chunk) { return chunk->holds(at); });
  return found == chunks.end() ? nullptr : *found;
}

// Null: no memory for what is not needed at once.
RangeReader::State::ChunkPtr RangeReader::State::add(std::uint64_t offset, bool needed) {
  auto chunk = std::make_shared<Chunk>();
  chunk->offset = offset;
  chunk->length = static_cast<std::size_t>(std::min<std::uint64_t>(next_bytes, size - offset));
  if (!chunk->share.grow_to(budget, chunk->length)) {
    if (!needed) return nullptr;
    // This little is always there, and reaches `at`; what was read before makes way for it.
    chunk->length = std::min(chunk->length, limits.first_bytes);
    chunks.remove_if([](const ChunkPtr& other) { return other->ready; });
    chunk->share.grow_anyway(budget, chunk->length);
  }
  chunks.push_back(chunk);
  frontier = chunk->end();
  next_bytes = std::min(next_bytes * 2, limits.largest_bytes);
  ++run;
  return chunk;
}

void RangeReader::State::fetch(const ChunkPtr& chunk, const Stop& stop) {
  std::vector<std::byte> data;
  std::optional<Failure> failure;
  try {
    data.resize(chunk->length);
    auto done = source->fetch(stop, chunk->offset, data);
    if (!done) failure = std::move(done.failure());
  } catch (const std::exception& e) {
    failure = Failure{SP_E_INTERNAL, e.what(), 0};
  }
  const std::lock_guard lock(mutex);
  chunk->data = std::move(data);
  chunk->failure = std::move(failure);
  chunk->ready = true;
  if (chunk->failure) chunks.remove(chunk);  // the next reader tries again
  changed.notify_all();
}

// Not before the second chunk of a run: the first may have been all that is wanted.
void RangeReader::State::read_ahead(std::uint64_t at) {
  if (run < 2) return;
  const auto beyond = [&] { return std::ranges::count_if(chunks, [&](const auto& c) { return c->offset > at; }); };
  while (frontier < size && beyond() < limits.ahead) {
    const ChunkPtr chunk = add(frontier, false);
    if (!chunk) return;
    auto fetch_it = [self = shared_from_this(), chunk] {
      self->fetch(chunk, [&self = *self] { return self.closed.load(); });
    };
    if (!pool.submit(std::move(fetch_it))) {
      chunks.remove(chunk);
      frontier = chunk->offset;
      return;
    }
  }
}

// Chunks that are behind the reading, the oldest first, but for a few: requests may overtake each other.
void RangeReader::State::forget(std::uint64_t at) {
  auto behind = std::ranges::count_if(chunks, [&](const auto& c) { return c->ready && !c->holds(at); });
  const auto may_stay = limits.kept + limits.ahead;
  for (auto it = chunks.begin(); it != chunks.end() && behind > limits.kept;) {
    const bool passed = (*it)->ready && ((*it)->end() <= at || behind > may_stay) && !(*it)->holds(at);
    if (passed) --behind;
    it = passed ? chunks.erase(it) : std::next(it);
  }
}

RangeReader::RangeReader(std::shared_ptr<RangeSource> source, std::uint64_t size, TaskPool& pool,
                         std::shared_ptr<MemoryBudget> budget, const RangeLimits& limits)
    : state_(std::make_shared<State>(std::move(source), size, pool, std::move(budget), limits)) {}

RangeReader::~RangeReader() { state_->closed = true; }

std::uint64_t RangeReader::size() const { return state_->size; }

Outcome<std::size_t> RangeReader::read_at(const Stop& stop, std::span<std::byte> into, std::uint64_t offset) {
  State& state = *state_;
  if (offset >= state.size || into.empty()) return std::size_t{0};
  std::unique_lock lock(state.mutex);
  State::ChunkPtr chunk = state.find(offset);
  const bool mine = chunk == nullptr;
  if (mine) {
    // A little beyond the frontier is still the same run: several requests are on their way at once.
    const bool goes_on =
        state.run > 0 && offset >= state.frontier && offset - state.frontier < state.limits.first_bytes;
    if (!goes_on) {
      state.run = 0;
      state.next_bytes = std::max(state.limits.first_bytes, into.size());
    }
    chunk = state.add(goes_on ? state.frontier : offset, true);
  }
  if (state.run > 0 && chunk->end() <= state.frontier) state.read_ahead(offset);
  if (mine) {
    lock.unlock();
    state.fetch(chunk, stop);
    lock.lock();
  }
  while (!chunk->ready) {
    if (stop && stop()) return Failure{SP_E_CANCELLED, "the download was given up", 0};
    state.changed.wait_for(lock, kGlance);
  }
  if (chunk->failure) return *chunk->failure;
  state.forget(offset);
  lock.unlock();  // a chunk that is ready does not change
  const auto from = static_cast<std::size_t>(offset - chunk->offset);
  const auto count = std::min(into.size(), chunk->length - from);
  std::copy_n(chunk->data.begin() + static_cast<std::ptrdiff_t>(from), count, into.begin());
  return count;
}

}  // namespace object_common
