// SPDX-License-Identifier: Apache-2.0
//
// From an event to the notifiers that want it. A queue per notifier, so that a slow one delays no other. Runs plugins
// on its own workers ("event-NAME-N"), decisions on those of the caller.
#include "host/events/events.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "host/core/log.h"
#include "host/core/metrics.h"
#include "host/core/worker_pool.h"
#include "host/events/event_limits.h"
#include "host/events/turns.h"
#include "host/events/user_queues.h"
#include "host/plugin/authenticator.h"
#include "host/plugin/session_gone.h"

namespace host::events {
namespace {

constexpr std::string_view kSender = "events";

// Calls of notifiers have no session of a client; at the stop they are told to end as if it were gone.
constexpr std::uint64_t kNoSession = ~std::uint64_t{0};

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

plugin::Op op_for(std::uint64_t session, std::chrono::nanoseconds time) {
  return {.session_id = session, .deadline_ns = now_ns() + time.count()};
}

}  // namespace

struct Events::Target {
  std::unique_ptr<plugin::Notifier> notifier;
  std::array<bool, static_cast<std::size_t>(Kind::kCount)> wanted{};
  std::unique_ptr<UserQueues> queues;  // gone first
};

Events::Events(std::vector<std::unique_ptr<plugin::Notifier>> notifiers, std::size_t concurrency)
    : turns_(std::make_unique<Turns>(kDecisionsAtOnce, kDecisionsWaiting, kDecideTime)) {
  for (auto& notifier : notifiers) {
    auto target = std::make_unique<Target>();
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto kind = static_cast<Kind>(i);
      const bool asks = kind == Kind::kPreUpload || kind == Kind::kPreDownload || kind == Kind::kPreDelete;
      target->wanted[i] = notifier->wants(kind_name(kind)) && (!asks || notifier->decides());
      wanted_[i] = wanted_[i] || target->wanted[i];
    }
    target->queues = std::make_unique<UserQueues>("event-" + notifier->name(), concurrency, kMaxEventsWaiting);
    target->notifier = std::move(notifier);
    targets_.push_back(std::move(target));
  }
}

Events::~Events() { stop(); }

void Events::tell(const FileEvent& event) {
  if (wants(event.kind)) deliver(event.kind, std::string(event.username), to_json(event));
}

void Events::tell(const UserEvent& event) {
  if (wants(event.kind)) deliver(event.kind, event.username, to_json(event));
}

void Events::deliver(Kind kind, const std::string& username, std::string json) {
  const auto shared = std::make_shared<const std::string>(std::move(json));
  for (const auto& target : targets_) {
    if (!target->wanted[static_cast<std::size_t>(kind)]) continue;
    const bool queued = target->queues->add(username, [notifier = target->notifier.get(), kind, username, shared] {
      const auto told = notifier->notify(op_for(kNoSession, kNotifyTime), *shared);
      if (told) return;
      core::log::warn(kSender, "",
                      "event " + std::string(kind_name(kind)) + " of user \"" + username + "\": " + notifier->name() +
                          ": " + told.error().message());
    });
    if (!queued) note_dropped(1);
  }
}

void Events::note_dropped(std::uint64_t count) {
  core::metrics::add(core::metrics::Counter::kEventsDropped, count);
  untold_ += count;
  auto due = next_line_ns_.load();
  const auto now = now_ns();
  if (now < due || !next_line_ns_.compare_exchange_strong(
                       due, now + std::chrono::duration_cast<std::chrono::nanoseconds>(kDroppedLineEvery).count()))
    return;
  core::log::error(kSender, "",
                   std::to_string(untold_.exchange(0)) + " events were dropped: notifiers do not keep up with them");
}

core::Result<void> Events::decide(const FileEvent& event, std::uint64_t session_number) {
  if (!wants(event.kind)) return core::ok();
  const auto what = std::string(kind_name(event.kind)) + " of \"" + event.path + "\"";
  // A program that takes its time must not keep the workers of a storage from what nobody is asked about.
  const core::WorkerPool::Aside aside;
  const Turns::Turn turn(*turns_, [session_number] { return plugin::session_gone(session_number); });
  if (!turn) {
    core::log::warn(kSender, event.connection_id, what + " fails: too many decisions are waited for");
    return core::Error(core::Status::kBusy, "too many decisions are waited for");
  }
  const std::string json = to_json(event);
  for (const auto& target : targets_) {
    if (!target->wanted[static_cast<std::size_t>(event.kind)]) continue;
    auto decided = target->notifier->decide(op_for(session_number, kDecideTime), json);
    if (decided) continue;
    const bool meant = decided.error().status == core::Status::kDenied;
    core::log::app(meant ? core::log::Level::kInfo : core::log::Level::kWarn, kSender, event.connection_id,
                   what + " is refused by " + target->notifier->name() + ": " + decided.error().message());
    return core::Error(core::Status::kDenied, "refused by " + target->notifier->name());
  }
  return core::ok();
}

void Events::stop() {
  const auto until = std::chrono::steady_clock::now() + kDrainTime;
  std::uint64_t left = 0;
  for (const auto& target : targets_) {
    if (!target->queues) continue;
    const auto patience = std::max(until - std::chrono::steady_clock::now(), std::chrono::steady_clock::duration(0));
    left += target->queues->finish(patience);
  }
  if (left > 0) {
    core::metrics::add(core::metrics::Counter::kEventsDropped, left);
    core::log::error(kSender, "", std::to_string(left) + " events were dropped: the server stops");
  }
  const plugin::SessionGone end_of_calls(kNoSession);
  for (const auto& target : targets_) target->queues.reset();
}

}  // namespace host::events
