// SPDX-License-Identifier: Apache-2.0
//
// Two maps behind one lock that is held for look-ups only: data moves without it, and what a session tells about itself
// is asked for after it was let go. A user is known while a session of it is there. Any thread; knows no protocol.
#include "host/admin/sessions.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "host/core/limits.h"

namespace host::admin {

Session::Channel::Channel(std::shared_ptr<Session> session, std::string protocol, std::string command)
    : session_(std::move(session)), info_{std::move(protocol), std::move(command), vfs::wall_clock_ms()} {
  const std::lock_guard lock(session_->mutex_);
  session_->channels_.push_back(this);
}

Session::Channel::~Channel() {
  const std::lock_guard lock(session_->mutex_);
  std::erase(session_->channels_, this);
}

Session::Session(LoginInfo who, vfs::Throttle throttle) : who_(std::move(who)), throttle_(std::move(throttle)) {}

void Session::on_close(std::function<void()> close) {
  {
    const std::lock_guard lock(mutex_);
    close_ = std::move(close);
    if (!closing_) return;
  }
  this->close();
}

void Session::close() {
  std::function<void()> close;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    close = close_;
  }
  if (close) close();
}

SessionInfo Session::info() const {
  SessionInfo info;
  info.username = who_.username;
  info.connection_id = who_.connection_id;
  info.client_version = who_.client_version;
  info.remote_address = who_.remote_address;
  info.connected_ms = connected_ms_;
  const auto quiet = std::chrono::steady_clock::now() - last_activity();
  info.last_activity_ms = vfs::wall_clock_ms() - std::chrono::duration_cast<std::chrono::milliseconds>(quiet).count();
  info.transfers = activity_->transfers();
  const std::lock_guard lock(mutex_);
  for (const auto* channel : channels_) info.channels.push_back(channel->info_);
  return info;
}

namespace {

constexpr std::int64_t kBytesPerKb = 1000;

// The bucket that this login is to use, if any; those who use it already follow.
std::shared_ptr<vfs::Bucket> bucket_for(std::weak_ptr<vfs::Bucket>& shared, std::int64_t kb_per_s) {
  const auto rate = std::clamp<std::int64_t>(kb_per_s, 0, core::limits::kMaxBandwidth) * kBytesPerKb;
  auto bucket = shared.lock();
  if (bucket) bucket->set_rate(rate);
  if (rate == 0) return nullptr;
  if (!bucket) {
    bucket = std::make_shared<vfs::Bucket>(rate, std::chrono::steady_clock::now());
    shared = bucket;
  }
  return bucket;
}

}  // namespace

struct Sessions::State {
  struct User {
    std::size_t sessions = 0;
    std::weak_ptr<vfs::Bucket> upload, download;
  };

  explicit State(std::size_t max) : max_total(max) {}

  const std::size_t max_total;
  std::mutex mutex;  // for the rest
  std::unordered_map<std::string, User> users;
  std::unordered_map<std::string, std::weak_ptr<Session>> sessions;  // by connection id

  void leave(const LoginInfo& who) {
    const std::lock_guard lock(mutex);
    sessions.erase(who.connection_id);
    const auto user = users.find(who.username);
    if (--user->second.sessions == 0) users.erase(user);
  }
  // Whoever holds the last pointer to a session makes it leave, which takes the lock: let go of none under it.
  std::vector<std::shared_ptr<Session>> all() {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Session>> found;
    found.reserve(sessions.size());
    for (const auto& [id, session] : sessions) {
      if (auto alive = session.lock()) found.push_back(std::move(alive));
    }
    return found;
  }
};

Sessions::Sessions(std::size_t max_total) : state_(std::make_shared<State>(max_total)) {}

std::shared_ptr<Session> Sessions::enter(LoginInfo who) {
  const std::lock_guard lock(state_->mutex);
  if (state_->sessions.size() >= state_->max_total) return nullptr;
  auto& user = state_->users[who.username];
  if (who.max_sessions > 0 && user.sessions >= static_cast<std::size_t>(who.max_sessions)) return nullptr;
  ++user.sessions;
  const vfs::Throttle throttle{bucket_for(user.upload, who.upload_bandwidth),
                               bucket_for(user.download, who.download_bandwidth)};
  std::shared_ptr<Session> session(new Session(std::move(who), throttle), [state = state_](Session* gone) {
    state->leave(gone->who_);
    delete gone;
  });
  state_->sessions[session->who_.connection_id] = session;
  return session;
}

std::vector<SessionInfo> Sessions::list() const {
  const auto all = state_->all();
  std::vector<SessionInfo> infos;
  infos.reserve(all.size());
  for (const auto& session : all) infos.push_back(session->info());
  return infos;
}

bool Sessions::close(const std::string& connection_id) {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->sessions.find(connection_id);
    if (found != state_->sessions.end()) session = found->second.lock();
  }
  if (session) session->close();
  return session != nullptr;
}

std::size_t Sessions::close_user(const std::string& username) {
  std::size_t closed = 0;
  for (const auto& session : state_->all()) {
    if (session->who_.username != username) continue;
    session->close();
    ++closed;
  }
  return closed;
}

}  // namespace host::admin
