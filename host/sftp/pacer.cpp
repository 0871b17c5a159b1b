// SPDX-License-Identifier: Apache-2.0
//
// One lane per file that waits, so that a transfer holds up nothing but itself: requests for other files pass, and of
// those for the same file only what must keep its order (filexfer-02 section 3) waits behind it. A request on two files
// waits for both and holds up neither. Knows no timer: whoever owns the channel asks next().
#include "host/sftp/pacer.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "host/core/limits.h"

namespace host::sftp {
namespace {

template <class Use>
bool any_handle(const Request& request, Use use) {
  return std::visit(
      [&](const auto& fields) {
        using Fields = std::decay_t<decltype(fields)>;
        if constexpr (std::is_same_v<Fields, CopyFields>)
          return use(fields.handle) || use(fields.to);
        else if constexpr (requires { fields.handle; })
          return use(fields.handle);
        else
          return false;
      },
      request.body);
}

bool names_path(const Request& request, const core::VirtualPath& path) {
  return std::visit(
      [&](const auto& fields) {
        using Fields = std::decay_t<decltype(fields)>;
        if constexpr (std::is_same_v<Fields, TwoPathFields>)
          return fields.path == path || fields.to == path;
        else if constexpr (requires { fields.path; })
          return fields.path == path;
        else
          return false;
      },
      request.body);
}

vfs::Flow* flow_of(const Request& request, const OpenHandle& handle) {
  if (std::holds_alternative<ReadFields>(request.body)) return handle.download.get();
  if (std::holds_alternative<WriteFields>(request.body)) return handle.upload.get();
  return nullptr;
}

// A READ at the end of the file is not charged for what is not there.
std::uint32_t cost_of(const Request& request, const OpenHandle& handle) {
  if (const auto* write = std::get_if<WriteFields>(&request.body)) {
    return static_cast<std::uint32_t>(write->data.size());
  }
  const auto& read = std::get<ReadFields>(request.body);
  const auto left = handle.size_at_open - std::min(handle.size_at_open, read.offset);
  return static_cast<std::uint32_t>(
      std::min({std::uint64_t{read.length}, std::uint64_t{core::limits::kMaxReadBytes}, left}));
}

}  // namespace

bool Pacer::hold(Request& request, vfs::Time now) {
  if (hold_behind_others(request, 0)) return true;
  const auto* read = std::get_if<ReadFields>(&request.body);
  const auto* write = std::get_if<WriteFields>(&request.body);
  if (read == nullptr && write == nullptr) return false;
  auto handle = handles_.find(read != nullptr ? read->handle : write->handle);
  auto* flow = handle ? flow_of(request, *handle) : nullptr;
  if (flow == nullptr) return false;
  request.paid_bytes = cost_of(request, *handle);
  const auto later = flow->pay(request.paid_bytes, now);
  if (!later) return false;
  auto& lane = lanes_.emplace_back();
  lane.handle = std::move(handle);
  lane.when = *later;
  lane.writes = write != nullptr;
  lane.waiting.push(std::move(request));
  return true;
}

bool Pacer::hold_behind_others(Request& request, std::size_t first_lane) {
  for (auto i = first_lane; i < lanes_.size(); ++i) {
    auto& lane = lanes_[i];
    const bool same_file = any_handle(request, [&](HandleId id) { return id == lane.handle->id; }) ||
                           (lane.writes && names_path(request, lane.handle->path));
    if (lane.waiting.empty() || !same_file) continue;
    lane.writes = lane.writes || std::holds_alternative<WriteFields>(request.body);
    lane.waiting.push(std::move(request));
    return true;
  }
  return false;
}

bool Pacer::may_go(Lane& lane, vfs::Time now) {
  auto& request = lane.waiting[0];
  auto* flow = flow_of(request, *lane.handle);
  if (flow == nullptr) return true;
  request.paid_bytes = cost_of(request, *lane.handle);
  const auto later = flow->pay(request.paid_bytes, now);
  if (later) lane.when = *later;
  return !later;
}

void Pacer::release(vfs::Time now, RequestQueue& into) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    while (!lanes_[i].waiting.empty() && may_go(lanes_[i], now)) {
      auto request = lanes_[i].waiting.pop();
      if (!hold_behind_others(request, i + 1)) into.push(std::move(request));
    }
  }
  std::erase_if(lanes_, [](const Lane& lane) { return lane.waiting.empty(); });
}

void Pacer::settle(const Request& request) {
  if (!std::holds_alternative<ReadFields>(request.body) || !request.handle || !request.handle->download) return;
  request.handle->download->correct(std::int64_t{request.paid_bytes} - std::int64_t{request.read_bytes});
}

vfs::Time Pacer::next() const {
  auto first = vfs::Time::max();
  for (const auto& lane : lanes_) first = std::min(first, lane.when);
  return first;
}

}  // namespace host::sftp
