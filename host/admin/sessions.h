// SPDX-License-Identifier: Apache-2.0
//
// The registry of logged-in SSH connections. Everything here may be called by any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/vfs/activity.h"
#include "host/vfs/throttle.h"

namespace host::admin {

// Times are ms since 1970.
struct ChannelInfo {
  std::string protocol;  // "SFTP", "SCP", "SSH"
  std::string command;   // of an exec channel, else empty
  std::int64_t opened_ms = 0;
};
struct SessionInfo {
  std::string username, connection_id, client_version, remote_address;
  std::int64_t connected_ms = 0, last_activity_ms = 0;
  std::vector<ChannelInfo> channels;  // in the order in which they were opened
  std::vector<vfs::TransferInfo> transfers;
};

// A login that was found right.
struct LoginInfo {
  std::string username, connection_id, client_version, remote_address;
  std::int64_t max_sessions = 0;                              // of the user; 0 and less: any number
  std::int64_t upload_bandwidth = 0, download_bandwidth = 0;  // KB/s; 0 and less: no limit
};

class Sessions;

// One logged-in connection; it counts for as long as this lives.
class Session {
 public:
  // A channel that serves something, listed while it lives.
  class Channel {
   public:
    Channel(std::shared_ptr<Session> session, std::string protocol, std::string command);
    ~Channel();
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

   private:
    friend class Session;
    const std::shared_ptr<Session> session_;
    const ChannelInfo info_;
  };

  Session(LoginInfo who, vfs::Throttle throttle);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const vfs::Throttle& throttle() const { return throttle_; }
  const std::shared_ptr<vfs::Activity>& activity() const { return activity_; }

  // Something happened on the connection.
  void touch(vfs::Time now) { last_activity_.store(now, std::memory_order_relaxed); }
  vfs::Time last_activity() const { return last_activity_.load(std::memory_order_relaxed); }

  // How to end the connection; must not wait. Called at once when somebody has asked for that already.
  void on_close(std::function<void()> close);
  void close();
  SessionInfo info() const;

 private:
  friend class Sessions;
  const LoginInfo who_;
  const vfs::Throttle throttle_;
  const std::shared_ptr<vfs::Activity> activity_ = std::make_shared<vfs::Activity>();
  const std::int64_t connected_ms_ = vfs::wall_clock_ms();
  std::atomic<vfs::Time> last_activity_{std::chrono::steady_clock::now()};
  mutable std::mutex mutex_;  // for the rest
  std::function<void()> close_;
  bool closing_ = false;
  std::vector<const Channel*> channels_;
};

class Sessions {
 public:
  explicit Sessions(std::size_t max_total);

  // Null when all places are taken, or the user has as many sessions as it may. A user's sessions share its bandwidth,
  // as the last login says.
  std::shared_ptr<Session> enter(LoginInfo who);
  // In no order; whoever is listed may be gone by then.
  std::vector<SessionInfo> list() const;
  // False when there is no such session. It ends soon, as if its client had gone.
  bool close(const std::string& connection_id);
  // How many there were.
  std::size_t close_user(const std::string& username);

 private:
  struct State;
  const std::shared_ptr<State> state_;  // shared with sessions, which may end later
};

}  // namespace host::admin
