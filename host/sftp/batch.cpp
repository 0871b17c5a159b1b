// SPDX-License-Identifier: Apache-2.0
//
// What may run beside what (filexfer-02 section 3, "Request Synchronization and Reordering"): the rules are here, the
// queue they are applied to is in schedule.cpp.
#include "host/sftp/batch.h"

#include <algorithm>
#include <chrono>

#include "host/core/limits.h"
#include "host/sftp/dispatch.h"

namespace host::sftp {
namespace {

struct Range {
  std::uint64_t offset = 0, length = 0;
  bool writes = false;
};

Range range_of(const Request& request) {
  if (const auto* read = std::get_if<ReadFields>(&request.body)) return {read->offset, read->length, false};
  const auto& write = std::get<WriteFields>(request.body);
  return {write.offset, write.data.size(), true};
}

}  // namespace

using Clock = std::chrono::steady_clock;

void Batch::run() {
  const auto begin = Clock::now();
  Call call{.fs = *side->fs, .names = side->names, .abandoned = side->abandoned, .out = replies};
  for (auto& request : requests) {
    if (side->abandoned.load(std::memory_order_relaxed)) return;
    run_request(call, request);
  }
  unfinished = call.again;
  slow = Clock::now() - begin > core::limits::kSlowJob;
}

std::shared_ptr<Batch> Batch::run_while_quick() {
  Call call{.fs = *side->fs, .names = side->names, .abandoned = side->abandoned, .out = replies};
  const auto begin = Clock::now();
  auto next = requests.begin();
  while (next != requests.end() && !slow) {
    run_request(call, *next++);
    slow = Clock::now() - begin > core::limits::kSlowJob;
  }
  if (next == requests.end()) return nullptr;
  auto rest = std::make_shared<Batch>();
  rest->pool = pool;
  rest->requests.assign(std::move_iterator(next), std::move_iterator(requests.end()));
  for (const auto& request : rest->requests) rest->bytes += data_bytes(request);
  requests.erase(next, requests.end());
  return rest;
}

std::size_t Batch::wire_bytes() const {
  std::size_t sum = 0;
  for (const auto& request : requests) sum += request.wire_bytes;
  return sum;
}

std::size_t data_bytes(const Request& request) {
  if (const auto* read = std::get_if<ReadFields>(&request.body)) return read->length;
  if (const auto* write = std::get_if<WriteFields>(&request.body)) return write->data.size();
  if (request.row != nullptr && request.row->type == Type::kReaddir) return core::limits::kMaxReaddirBytes;
  return 0;
}

bool conflict(const Request& a, const Request& b) {
  if (a.handle != b.handle) return false;
  using Caps = plugin::FsCaps;
  const auto& caps = a.handle->file->caps();
  if (!caps.has(Caps::kParallelIo)) return true;
  const auto left = range_of(a);
  const auto right = range_of(b);
  if (!left.writes && !right.writes) return false;
  // Appended or strictly ascending writes have an order of their own.
  if (left.writes && right.writes && (a.handle->append || !caps.has(Caps::kRandomWrite))) return true;
  return a.handle->append || (left.offset < right.offset + right.length && right.offset < left.offset + left.length);
}

bool share_handle(const Batch& a, const Batch& b) {
  const auto in_b = [&](const Request& request) {
    return request.handle && std::any_of(b.requests.begin(), b.requests.end(),
                                         [&](const Request& other) { return other.handle == request.handle; });
  };
  return std::any_of(a.requests.begin(), a.requests.end(), in_b);
}

std::uint32_t useful_lanes(const Request& request) {
  if (!std::holds_alternative<ReadFields>(request.body) && !std::holds_alternative<WriteFields>(request.body)) return 1;
  if (!request.handle || !request.handle->file) return 1;
  return std::max(1u, request.handle->file->caps().max_inflight);
}

}  // namespace host::sftp
