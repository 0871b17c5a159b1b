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
#include <utility>
#include <vector>

#include "object-common/page_buffer.h"

namespace object_common {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kGlance = std::chrono::milliseconds(100);  // how often a wait looks at its `stop`
constexpr auto kPause = std::chrono::seconds(2);          // who reads nothing for so long needs nothing kept
constexpr std::size_t kSpares = 2;

}  // namespace

struct RangeReader::State : MemoryHolder, std::enable_shared_from_this<State> {
  struct Chunk {
    explicit Chunk(std::shared_ptr<Spares> spares_in) : spares(std::move(spares_in)) {}
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;
    ~Chunk() {
      if (spares) spares->put(std::move(held));
    }
    std::shared_ptr<Spares> spares;  // null: of a size that nobody needs again
    std::uint64_t offset = 0;
    std::size_t length = 0;
    bool started = false, ready = false;
    std::optional<Failure> failure;
    Held held;
    std::uint64_t end() const { return offset + length; }
    bool holds(std::uint64_t at) const { return at >= offset && at < end(); }
    bool good() const { return ready && !failure; }
    std::size_t copy(std::span<std::byte> into, std::uint64_t at) const {
      const auto from = static_cast<std::size_t>(at - offset);
      const auto count = std::min(into.size(), length - from);
      std::copy_n(held.pages.data() + from, count, into.data());
      return count;
    }
  };
  using ChunkPtr = std::shared_ptr<Chunk>;
  using Chunks = std::list<ChunkPtr>;

  State(std::shared_ptr<RangeSource> source_in, std::uint64_t size_in, TaskPool& pool_in,
        std::shared_ptr<MemoryBudget> budget_in, const RangeLimits& limits_in)
      : source(std::move(source_in)), size(size_in), pool(pool_in), budget(std::move(budget_in)), limits(limits_in) {}

  ChunkPtr find(std::uint64_t at) const;
  ChunkPtr add(std::uint64_t offset, bool needed, Chunks& gone);
  void fetch(const ChunkPtr& chunk, const Stop& stop);
  void fetch_ahead(const ChunkPtr& chunk);
  bool send_for(const ChunkPtr& chunk);
  void read_ahead(std::uint64_t at, Chunks& gone);
  void forget(std::uint64_t at, Chunks& gone);
  void let_go(bool urgent) override;

  const std::shared_ptr<RangeSource> source;
  const std::uint64_t size;
  TaskPool& pool;
  const std::shared_ptr<MemoryBudget> budget;
  const RangeLimits limits;
  const std::shared_ptr<Spares> spares = std::make_shared<Spares>(kSpares);
  std::atomic<bool> closed = false;
  std::mutex mutex;
  std::condition_variable changed;
  // Under mutex. Chunks taken out end after it: their memory may go back to the system.
  Chunks chunks;
  std::uint64_t frontier = 0;  // where the chunks of the present run of reading end
  std::size_t next_bytes = 0;  // of the next chunk there
  int run = 0;                 // chunks in this run
  bool short_of_memory = false;
  Clock::time_point last_read = Clock::now();
};

RangeReader::State::ChunkPtr RangeReader::State::find(std::uint64_t at) const {
  const auto found = std::ranges::find_if(chunks, [&](const ChunkPtr& chunk) { return chunk->holds(at); });
  return found == chunks.end() ? nullptr : *found;
}

// Null: no memory for what is not needed at once. No chunk goes beyond a multiple of the largest size: that is how
// stores lay out what they keep.
RangeReader::State::ChunkPtr RangeReader::State::add(std::uint64_t offset, bool needed, Chunks& gone) {
  const std::uint64_t border = (offset / limits.largest_bytes + 1) * limits.largest_bytes;
  auto length = static_cast<std::size_t>(std::min({std::uint64_t{next_bytes}, size - offset, border - offset}));
  const bool usual = length == limits.largest_bytes;
  auto chunk = std::make_shared<Chunk>(usual ? spares : nullptr);
  if (usual) chunk->held = spares->take(length);
  if (!chunk->held.share.grow_to(budget, length)) {
    short_of_memory = true;
    chunk->spares = nullptr;
    if (!needed) return nullptr;
    // This little is always there, and reaches `at`; what was read before makes way for it.
    length = std::min(length, limits.first_bytes);
    for (auto it = chunks.begin(); it != chunks.end();) {
      const auto other = it++;
      if ((*other)->ready) gone.splice(gone.end(), chunks, other);
    }
    chunk->held.share.grow_anyway(budget, length);
  }
  chunk->offset = offset;
  chunk->length = length;
  chunks.push_back(chunk);
  frontier = chunk->end();
  next_bytes = std::min(next_bytes * 2, limits.largest_bytes);
  ++run;
  return chunk;
}

void RangeReader::State::fetch(const ChunkPtr& chunk, const Stop& stop) {
  std::optional<Failure> failure;
  try {
    if (chunk->held.pages.size() == 0) {
      chunk->held.pages = PageBuffer(chunk->length);
      chunk->held.pages.expect_much();
    }
    auto done = source->fetch(stop, chunk->offset, {chunk->held.pages.data(), chunk->length});
    if (!done) failure = std::move(done.failure());
  } catch (const std::exception& e) {
    failure = Failure{SP_E_INTERNAL, e.what(), 0};
  }
  const std::lock_guard lock(mutex);
  chunk->failure = std::move(failure);
  chunk->ready = true;
  if (chunk->failure) chunks.remove(chunk);  // the next reader tries again
  changed.notify_all();
}

// Unless a reader could not wait for it and fetches it itself.
void RangeReader::State::fetch_ahead(const ChunkPtr& chunk) {
  {
    const std::lock_guard lock(mutex);
    if (closed || std::exchange(chunk->started, true)) return;
  }
  fetch(chunk, [this] { return closed.load(); });
}

// False: the pool takes no more. What nobody fetches is not kept: nobody would ever forget it.
bool RangeReader::State::send_for(const ChunkPtr& chunk) {
  if (pool.submit([self = shared_from_this(), chunk] { self->fetch_ahead(chunk); }, source->store())) return true;
  chunks.remove(chunk);
  return false;
}

// Not before the second chunk of a run: the first may have been all that is wanted.
void RangeReader::State::read_ahead(std::uint64_t at, Chunks& gone) {
  if (run < 2) return;
  const auto beyond = [&] { return std::ranges::count_if(chunks, [&](const auto& c) { return c->offset > at; }); };
  while (frontier < size && beyond() < limits.ahead) {
    const ChunkPtr chunk = add(frontier, false, gone);
    if (!chunk) return;
    if (!send_for(chunk)) {
      frontier = chunk->offset;
      return;
    }
  }
}

// Chunks that are behind the reading, the oldest first, but for a few: requests may overtake each other.
void RangeReader::State::forget(std::uint64_t at, Chunks& gone) {
  auto behind = std::ranges::count_if(chunks, [&](const auto& c) { return c->ready && !c->holds(at); });
  const auto may_stay = limits.kept + limits.ahead;
  for (auto it = chunks.begin(); it != chunks.end() && behind > limits.kept;) {
    const auto one = it++;
    const bool passed = (*one)->ready && ((*one)->end() <= at || behind > may_stay) && !(*one)->holds(at);
    if (!passed) continue;
    --behind;
    gone.splice(gone.end(), chunks, one);
  }
}

void RangeReader::State::let_go(bool urgent) {
  spares->let_go(urgent);
  Chunks gone;
  const std::lock_guard lock(mutex);
  if (!urgent && Clock::now() - last_read < kPause) return;
  for (auto it = chunks.begin(); it != chunks.end();) {
    const auto one = it++;
    if (!(*one)->ready) continue;
    (*one)->spares = nullptr;
    gone.splice(gone.end(), chunks, one);
  }
}

RangeReader::RangeReader(std::shared_ptr<RangeSource> source, std::uint64_t size, TaskPool& pool,
                         std::shared_ptr<MemoryBudget> budget, const RangeLimits& limits)
    : state_(std::make_shared<State>(std::move(source), size, pool, std::move(budget), limits)) {
  state_->budget->add(state_);
}

RangeReader::~RangeReader() { state_->closed = true; }

std::uint64_t RangeReader::size() const { return state_->size; }

Outcome<std::size_t> RangeReader::read_at(const Stop& stop, std::span<std::byte> into, std::uint64_t offset) {
  State& state = *state_;
  if (offset >= state.size || into.empty()) return std::size_t{0};
  State::Chunks gone;
  std::unique_lock lock(state.mutex);
  state.last_read = Clock::now();
  State::ChunkPtr chunk = state.find(offset);
  if (chunk == nullptr) {
    // A little beyond the frontier is still the same run: several requests are on their way at once.
    const bool goes_on =
        state.run > 0 && offset >= state.frontier && offset - state.frontier < state.limits.first_bytes;
    if (!goes_on) {
      state.run = 0;
      state.next_bytes = std::max(state.limits.first_bytes, into.size());
    }
    chunk = state.add(goes_on ? state.frontier : offset, true, gone);
    while (!chunk->holds(offset)) {
      state.send_for(chunk);
      chunk = state.add(state.frontier, true, gone);
    }
  }
  // What waits for a thread of the pool may wait long: its reader does not.
  const bool mine = !std::exchange(chunk->started, true);
  if (state.run > 0 && chunk->end() <= state.frontier) state.read_ahead(offset, gone);
  const bool ask = std::exchange(state.short_of_memory, false);
  if (mine || ask) {
    lock.unlock();
    if (ask) state.budget->ask_to_let_go(state.limits.largest_bytes, false);
    if (mine) state.fetch(chunk, stop);
    lock.lock();
  }
  while (!chunk->ready) {
    if (stop && stop()) return Failure{SP_E_CANCELLED, "the download was given up", 0};
    state.changed.wait_for(lock, kGlance);
  }
  if (chunk->failure) return *chunk->failure;
  state.forget(offset, gone);
  lock.unlock();  // a chunk that is ready does not change
  return chunk->copy(into, offset);
}

std::optional<std::size_t> RangeReader::read_at_once(std::span<std::byte> into, std::uint64_t offset) {
  State& state = *state_;
  if (offset >= state.size) return std::size_t{0};
  into = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), state.size - offset)));
  State::Chunks gone;
  std::vector<State::ChunkPtr> here;
  {
    const std::unique_lock lock(state.mutex, std::try_to_lock);
    if (!lock) return std::nullopt;
    for (std::uint64_t at = offset; at < offset + into.size(); at = here.back()->end()) {
      auto chunk = state.find(at);
      if (!chunk || !chunk->good()) return std::nullopt;
      here.push_back(std::move(chunk));
    }
    state.last_read = Clock::now();
    if (state.run > 0 && !here.empty() && here.back()->end() <= state.frontier) state.read_ahead(offset, gone);
    state.forget(offset, gone);
  }
  std::size_t got = 0;
  for (const auto& chunk : here) got += chunk->copy(into.subspan(got), offset + got);
  return got;
}

}  // namespace object_common
