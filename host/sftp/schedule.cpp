// SPDX-License-Identifier: Apache-2.0
//
// Which request runs when and where. Requests start in the order they came; what has to wait makes everything behind it
// wait. At the front of the queue a request is either answered in place (it touches no storage, or is a READ whose data
// is at hand and nothing runs), or starts a batch: a sequence of anything that runs alone, or, where the mount gains
// from it, one of several lanes of READs and WRITEs that do not conflict. Batches go to workers, but where the I/O
// thread has nobody else to serve (Hooks::alone) the hand-over is spared. On the I/O thread.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "host/core/limits.h"
#include "host/sftp/channel_impl.h"
#include "host/sftp/dispatch.h"
#include "host/sftp/replies.h"

namespace host::sftp {
namespace {

namespace limits = core::limits;

constexpr Refused kBadHandle{Code::kFailure, "invalid handle"};
constexpr Refused kTooManyHandles{Code::kFailure, "too many open handles"};

Kind kind_of(const Request& request) {
  return std::holds_alternative<Refused>(request.body) ? Kind::kQuick : request.row->kind;
}

bool is_data(const Request& request) {
  const auto kind = kind_of(request);
  return kind == Kind::kRead || kind == Kind::kWrite;
}

bool may_read_in_place(const Request& request) {
  if (kind_of(request) != Kind::kRead || std::get<ReadFields>(request.body).length == 0) return false;
  const auto* file = request.handle->file.get();
  return file != nullptr && file->readable() && file->caps().has(plugin::FsCaps::kNowaitRead);
}

}  // namespace

bool ChannelImpl::submit_to_pool(core::WorkerPool& pool, core::WorkerPool::Job job, bool cleanup) {
  if (!cleanup) return pool.submit(std::move(job));
  pool.submit_cleanup(std::move(job));
  return true;
}

// Starts all that may start now. `budget` bounds the reply bytes of READs done on this thread.
void ChannelImpl::advance(std::size_t budget) {
  if (pacer_ && !pacer_->empty()) pacer_->release(now_(), queue_);
  std::size_t produced = 0;
  while (!queue_.empty() && output_.size() < limits::kMaxReplyBytes) {
    look_up(queue_[0]);
    const auto step = answer_in_place(budget, produced);
    if (step == Step::kWait || (step == Step::kWorker && !start_batch())) break;
  }
  drop_memory();
}

ChannelImpl::Step ChannelImpl::answer_in_place(std::size_t budget, std::size_t& produced) {
  auto& request = queue_[0];
  if (kind_of(request) == Kind::kQuick) {
    Call call{.fs = *side_->fs, .names = side_->names, .abandoned = side_->abandoned, .out = output_};
    run_request(call, request);
  } else {
    if (!running_.empty() || !may_read_in_place(request)) return Step::kWorker;
    if (produced >= budget) return Step::kWait;
    const auto before = output_.size();
    if (!read_in_place(output_, request)) return Step::kWorker;
    produced += output_.size() - before;
  }
  settle(queue_[0]);
  queue_.pop();
  return Step::kDone;
}

// True when a batch was started, or is over already.
bool ChannelImpl::start_batch() {
  const auto& first = queue_[0];
  if (running_.empty() && kind_of(first) != Kind::kCopy && !usage_->slow_storage && alone_()) {
    run_here(collect_sequence(true));
    return true;
  }
  const auto lanes = useful_lanes(first);
  if (lanes == 1) {
    if (!running_.empty()) return false;
    submit(collect_sequence(false));
    return true;
  }
  const bool alone = std::any_of(running_.begin(), running_.end(), [](const auto& batch) { return batch->alone; });
  if (alone || running_.size() >= lanes || running_bytes_ >= limits::kMaxQueuedRequestBytes) return false;
  if (conflicts_with_running(first)) return false;
  submit(collect_lane(lanes));
  return true;
}

// Finds the handles a request names; without them it is refused. May be called again.
void ChannelImpl::look_up(Request& request) {
  if (request.handle) return;
  const bool sound = std::visit(
      [&](auto& fields) {
        using Fields = std::decay_t<decltype(fields)>;
        if constexpr (requires { fields.handle; }) {
          request.handle = handles_.find(fields.handle);
          if constexpr (std::is_same_v<Fields, CopyFields>) {
            request.to = handles_.find(fields.to);
            if (!request.to) return false;
          }
          return request.handle != nullptr;
        }
        return true;
      },
      request.body);
  if (!sound) request.body = kBadHandle;
}

// Null when any pool will do.
core::WorkerPool* ChannelImpl::pool_of(const Request& request) {
  if (request.handle) {
    const auto& handle = *request.handle;
    return handle.file ? &handle.file->pool() : &handle.dir->pool();
  }
  if (kind_of(request) == Kind::kQuick) return nullptr;
  return std::visit(
      [&](const auto& fields) -> core::WorkerPool* {
        if constexpr (requires { fields.path; }) return &side_->fs->pool(fields.path);
        return &side_->fs->pool(core::VirtualPath());
      },
      request.body);
}

// Moves the first request into the batch. Not when it has to start another one.
bool ChannelImpl::take_into(Batch& batch) {
  auto& request = queue_[0];
  auto* pool = pool_of(request);
  if (pool != nullptr && batch.pool != nullptr && pool != batch.pool) return false;
  if (pool != nullptr) batch.pool = pool;
  if (kind_of(request) == Kind::kOpen) {
    request.handle = std::visit(
        [&](const auto& fields) -> std::shared_ptr<OpenHandle> {
          if constexpr (requires { fields.path; }) return handles_.reserve(side_->fs, fields.path);
          return nullptr;
        },
        request.body);
    if (!request.handle) request.body = kTooManyHandles;
  } else if (kind_of(request) == Kind::kClose) {
    request.handle->state = OpenHandle::State::kClosing;
  }
  batch.bytes += data_bytes(request);
  batch.requests.push_back(queue_.pop());
  return true;
}

// Anything in its order, while nothing else runs.
ChannelImpl::BatchPtr ChannelImpl::collect_sequence(bool lanes_too) {
  auto batch = std::make_shared<Batch>();
  bool copy = false;
  while (!copy && !queue_.empty() && batch->requests.size() < limits::kMaxBatchRequests &&
         batch->bytes < limits::kMaxBatchBytes) {
    look_up(queue_[0]);
    if (!batch->requests.empty()) {
      if (!lanes_too && is_data(queue_[0]) && useful_lanes(queue_[0]) > 1) break;
      if (kind_of(queue_[0]) == Kind::kCopy) break;
    }
    copy = kind_of(queue_[0]) == Kind::kCopy;
    if (!take_into(*batch)) break;
  }
  return batch;
}

// A fair share of the data requests at the front, so that all free lanes get work.
ChannelImpl::BatchPtr ChannelImpl::collect_lane(std::uint32_t lanes) {
  const auto fits = [&](Request& request) {
    look_up(request);
    return is_data(request) && useful_lanes(request) == lanes && !conflicts_with_running(request);
  };
  std::size_t waiting = 1;
  while (waiting < std::min(queue_.size(), limits::kMaxBatchRequests) && fits(queue_[waiting])) ++waiting;
  const auto free = lanes - running_.size();
  // A file that takes one call at a time gets no second lane, nor one that takes its data in order.
  const auto& caps = queue_[0].handle->file->caps();
  const bool in_order = kind_of(queue_[0]) == Kind::kWrite && !caps.has(plugin::FsCaps::kRandomWrite);
  const bool shares = caps.has(plugin::FsCaps::kParallelIo) && !in_order;
  const auto share = shares ? (waiting + free - 1) / free : waiting;
  auto batch = std::make_shared<Batch>();
  batch->alone = false;
  for (std::size_t taken = 0; taken < share && batch->bytes < limits::kMaxBatchBytes; ++taken) {
    if (!take_into(*batch)) break;
  }
  return batch;
}

bool ChannelImpl::conflicts_with_running(const Request& request) const {
  for (const auto& batch : running_) {
    for (const auto& other : batch->requests) {
      if (conflict(request, other)) return true;
    }
  }
  return false;
}

void ChannelImpl::submit(const BatchPtr& batch) {
  const bool only_closes = std::all_of(batch->requests.begin(), batch->requests.end(),
                                       [](const auto& request) { return kind_of(request) == Kind::kClose; });
  batch->side = side_;
  running_.push_back(batch);
  running_bytes_ += batch->bytes;
  // Job and posted function hold the channel. Where a stopping thread destroys them unrun, all they hold goes too.
  auto self = std::static_pointer_cast<ChannelImpl>(shared_from_this());
  auto& pool = *batch->pool;
  const bool taken = submit_(
      pool,
      [self, batch] {
        batch->run();
        batch->side->post([self, batch] { self->complete(batch); });
      },
      only_closes);
  if (!taken) refuse(batch);
}

// The pool is full. Closing is the one thing that is never refused, and a file that misses a WRITE is never published.
void ChannelImpl::refuse(const BatchPtr& batch) {
  leave(batch);
  auto closes = std::make_shared<Batch>();
  closes->pool = batch->pool;
  for (auto& request : batch->requests) {
    const auto kind = kind_of(request);
    if (kind == Kind::kClose) {
      closes->requests.push_back(std::move(request));
      continue;
    }
    if (kind == Kind::kWrite) request.handle->write_refused = true;
    put_status(output_, request.id, core::Status::kBusy);
    settle(request);
  }
  if (!closes->requests.empty()) submit(closes);
}

void ChannelImpl::run_here(const BatchPtr& batch) {
  batch->side = side_;
  const auto rest = batch->run_while_quick();
  take_replies(batch);
  if (rest) submit(rest);
}

void ChannelImpl::complete(const BatchPtr& batch) {
  if (abandoned_) {
    usage_->request_bytes -= batch->wire_bytes();
    return;
  }
  batch->done = true;
  release_done();
  advance(0);
  if (const auto wake = wake_) wake();  // a copy: it may end in abandon()
}

// Answers of one file leave in the order of their requests, though the draft does not ask for it (section 3): scp of
// OpenSSH 9 cuts a download off, without an error, where one READ's answer has overtaken another's.
void ChannelImpl::release_done() {
  for (std::size_t i = 0; i < running_.size();) {
    const auto batch = running_[i];
    const auto end = running_.begin() + static_cast<std::ptrdiff_t>(i);
    const bool overtakes =
        std::any_of(running_.begin(), end, [&](const auto& earlier) { return share_handle(*earlier, *batch); });
    if (!batch->done || overtakes) {
      ++i;
      continue;
    }
    batch->done = false;
    leave(batch);
    take_replies(batch);
    i = 0;
  }
}

void ChannelImpl::take_replies(const BatchPtr& batch) {
  output_.append(std::move(batch->replies));
  usage_->slow_storage = usage_->slow_storage || batch->slow;
  if (batch->unfinished && !failed_) {
    batch->unfinished = false;
    submit(batch);
    return;
  }
  for (auto& request : batch->requests) {
    if (!is_data(request)) ++usage_->short_requests;
    settle(request);
  }
}

void ChannelImpl::leave(const BatchPtr& batch) {
  running_bytes_ -= batch->bytes;
  std::erase(running_, batch);
}

// A request is over: what it held is free again, and its handle is what it made of it.
void ChannelImpl::settle(Request& request) {
  held_bytes_ -= request.wire_bytes;
  usage_->request_bytes -= request.wire_bytes;
  --held_requests_;
  const auto kind = kind_of(request);
  if (pacer_) Pacer::settle(request);
  if (kind == Kind::kOpen) handles_.settle(*request.handle);
  if (kind == Kind::kClose) handles_.release(*request.handle);
}

}  // namespace host::sftp
