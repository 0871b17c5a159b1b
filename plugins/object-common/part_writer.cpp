// SPDX-License-Identifier: Apache-2.0
//
// Appending runs on the host's workers, parts go up on the pool's. The end waits for every part, failed or not, so that
// none arrives after the upload was aborted and stays there unseen.
#include "object-common/part_writer.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace object_common {
namespace {

constexpr int kPartsPerSize = 250;
constexpr int kMaxDoublings = 16;               // of what settings allow, the largest is reached long before
constexpr std::size_t kFirstBytes = 64 * 1024;  // are never waited for: small files go up however short memory is
constexpr std::size_t kShortPart = 4;           // a part may go with so much of its size less, when memory is short
constexpr auto kLook = std::chrono::milliseconds(100);  // how often a wait looks at its `stop`
constexpr auto kMemoryWait = std::chrono::seconds(30);

Failure stopped() { return {SP_E_CANCELLED, "the upload was given up", 0}; }

}  // namespace

std::size_t part_bytes(const PartLimits& limits, int number) {
  const auto doubled = limits.part_bytes << std::min((number - 1) / kPartsPerSize, kMaxDoublings);
  return std::max(limits.part_bytes, std::min(doubled, limits.max_part_bytes));
}

int parts_at_once(const PartLimits& limits, std::size_t part_bytes) {
  const auto with_the_filled_one = static_cast<std::size_t>(limits.concurrency) + 1;
  const auto fit = static_cast<int>(with_the_filled_one * limits.part_bytes / part_bytes);
  return std::clamp(fit, 1, limits.concurrency);
}

PartWriter::PartWriter(std::shared_ptr<PartTarget> target, TaskPool& pool, std::shared_ptr<MemoryBudget> budget,
                       const PartLimits& limits)
    : target_(std::move(target)), pool_(pool), budget_(std::move(budget)), limits_(limits) {
  budget_->add(spares_);
}

PartWriter::~PartWriter() { abort(); }

std::optional<Failure> PartWriter::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Outcome<void> PartWriter::append(const Stop& stop, std::span<const std::byte> data) {
  while (!data.empty()) {
    if (auto failed = failure()) return *failed;
    if (!filling_) {
      if (auto begun = begin_part(); !begun) return begun;
    }
    const std::size_t whole = part_bytes(limits_, filling_->number);
    if (filling_->size == filling_->room) {
      if (auto room = make_room(stop, whole); !room) return room;
      if (!filling_ || filling_->size == filling_->room) continue;
    }
    Part& part = *filling_;
    const std::size_t step = std::min(data.size(), part.room - part.size);
    std::copy_n(data.data(), step, part.held.pages.data() + part.size);
    if (!part.sum && part.size == 0) part.sum = target_->new_sum();
    if (part.sum) part.sum->add(data.first(step));
    part.size += step;
    data = data.subspan(step);
    size_.fetch_add(step, std::memory_order_relaxed);
    if (part.size == whole) {
      if (auto sent = send(stop); !sent) return sent;
    }
  }
  return {};
}

Outcome<void> PartWriter::begin_part() {
  if (sent_ == limits_.max_parts) return Failure{SP_E_NO_SPACE, "the file is larger than the store allows", 0};
  filling_ = std::make_shared<Part>();
  filling_->number = sent_ + 1;
  return {};
}

Outcome<void> PartWriter::append_part(const Stop& stop, std::uint64_t bytes, Make make) {
  if (auto failed = failure()) return *failed;
  if (filling_) {
    if (auto sent = send(stop); !sent) return sent;
  }
  if (auto begun = begin_part(); !begun) return begun;
  filling_->make = std::move(make);
  size_.fetch_add(bytes, std::memory_order_relaxed);
  return send(stop);
}

// For more data in the part that is filled; otherwise that was sent, or it is to be tried again. The first bytes are
// there however short memory is; what is reserved then is enough to send the part, so that nobody who waits has memory
// that another waits for.
Outcome<void> PartWriter::make_room(const Stop& stop, std::size_t whole) {
  Part& part = *filling_;
  if (part.size == whole) return send(stop);  // which has failed before
  if (part.room == 0 && part.number == 1) {
    part.room = std::min(kFirstBytes, whole);
    part.held.share.grow_anyway(budget_, part.room);
    part.held.pages = PageBuffer(whole);
    return {};
  }
  if (part.room == 0) part.held = spares_->take(whole);
  // Not much less than its size, or the parts would be too many for the file.
  const std::size_t least = std::min(std::max(limits_.min_part_bytes, whole / kShortPart), whole);
  if (part.held.share.grow_to(budget_, whole)) {
    part.room = whole;
  } else if (part.room >= least) {
    return send(stop);
  } else if (part.held.share.grow_to(budget_, least)) {
    part.room = least;
  } else {
    if (auto waited = wait_for_memory(stop, least); !waited || part.room == 0) return waited;
  }
  if (part.held.pages.size() == 0) part.held.pages = PageBuffer(whole);
  part.held.pages.expect_much();
  return {};
}

// All transfers together hold too much. One's own parts give theirs back first, then it is up to the others.
Outcome<void> PartWriter::wait_for_memory(const Stop& stop, std::size_t least) {
  std::unique_lock lock(mutex_);
  if (in_flight_ > 0) {
    const int before = in_flight_;
    while (in_flight_ == before && !(stop && stop())) changed_.wait_for(lock, kLook);
    return stop && stop() ? Outcome<void>(stopped()) : Outcome<void>();
  }
  lock.unlock();
  spares_->let_go(true);
  if (!filling_->held.share.grow_in_turn(budget_, least, stop, MemoryBudget::Clock::now() + kMemoryWait)) {
    if (stop && stop()) return stopped();
    return Failure{SP_E_BUSY, "all transfers together need more memory than max_memory_mib allows", 0};
  }
  filling_->room = least;
  return {};
}

Outcome<void> PartWriter::wait_until(const Stop& stop, int in_flight) {
  std::unique_lock lock(mutex_);
  while (in_flight_ > in_flight) {
    if (stop && stop()) return stopped();
    changed_.wait_for(lock, kLook);
  }
  return failure_ ? Outcome<void>(*failure_) : Outcome<void>();
}

Outcome<void> PartWriter::send(const Stop& stop) {
  if (!begun_) {
    if (auto began = target_->begin(stop); !began) return began;
    begun_ = true;
  }
  const int others = parts_at_once(limits_, part_bytes(limits_, filling_->number)) - 1;
  if (auto free = wait_until(stop, others); !free) return free;
  const auto part = std::exchange(filling_, nullptr);
  ++sent_;
  {
    const std::lock_guard lock(mutex_);
    ++in_flight_;
  }
  bool taken = false;
  try {
    taken = pool_.submit([this, part] { upload(part); }, target_->store());
  } catch (const std::exception&) {  // short of memory: it counts as on its way, so it must not be lost
  }
  if (!taken) upload(part);
  return failure() ? Outcome<void>(*failure()) : Outcome<void>();
}

void PartWriter::upload(const std::shared_ptr<Part>& part) {
  // However short memory is: somebody waits for it to be over.
  struct Flight {
    PartWriter& writer;
    ~Flight() {
      const std::lock_guard lock(writer.mutex_);
      --writer.in_flight_;
      writer.changed_.notify_all();
    }
  };
  const Flight flight{*this};
  Outcome<void> done;
  try {
    const Stop stop = [this] { return given_up_.load(); };
    if (given_up_) {
      done = stopped();
    } else {
      done = part->make ? part->make(stop, part->number) : target_->put_part(stop, part->number, part->data());
    }
    spares_->put(std::move(part->held));
  } catch (const std::exception& e) {
    done = Failure{SP_E_INTERNAL, e.what(), 0};
  }
  const std::lock_guard lock(mutex_);
  if (!done && !failure_) {
    failure_ = std::move(done.failure());
    given_up_ = true;
  }
}

Outcome<void> PartWriter::finish(const Stop& stop) {
  // A part that the store was to make itself, and never began, is not in memory.
  if (!begun_ && filling_ && filling_->make) {
    abort();
    return Failure{SP_E_IO, "the upload could not be begun", 0};
  }
  if (!begun_) {
    ended_ = true;
    return target_->put_whole(stop, filling_ ? filling_->data() : PartData());
  }
  Outcome<void> done;
  if (filling_) done = send(stop);
  if (done) done = wait_until(stop, 0);
  if (done) done = target_->complete(stop, sent_);
  if (done) {
    ended_ = true;
  } else {
    abort();
  }
  return done;
}

void PartWriter::abort() {
  if (std::exchange(ended_, true)) return;
  given_up_ = true;
  (void)wait_until(nullptr, 0);
  filling_ = nullptr;
  if (begun_) target_->abort();
}

}  // namespace object_common
