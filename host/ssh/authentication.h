// SPDX-License-Identifier: Apache-2.0
//
// The authentication phase of one session (RFC 4252), in libssh's queue mode: no callbacks are installed, so that we
// own each message and may answer it after a worker has checked it. On the session's I/O thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/auth/login_flow.h"
#include "host/ssh/context.h"
#include "host/ssh/login_check.h"

namespace host::ssh {

class Authentication {
 public:
  enum class State {
    kRunning,  // waits for the client
    kPending,  // a worker is checking; read nothing from the client meanwhile
    kGranted,
    kRefused,  // end the connection
  };

  struct Peer {
    std::string ip, address;  // address: "ip:port"
    std::string connection_id;
    std::uint64_t session_number = 0;
  };

  static constexpr int kMethods = SSH_AUTH_METHOD_PUBLICKEY | SSH_AUTH_METHOD_INTERACTIVE | SSH_AUTH_METHOD_PASSWORD;

  Authentication(ssh_session session, LoginCheck::Surroundings surroundings, Peer peer);
  ~Authentication();  // whoever checks may stop
  Authentication(const Authentication&) = delete;
  Authentication& operator=(const Authentication&) = delete;

  // Answers what the client has sent. The session is to go on when the verdict of a background check is in, which the
  // surroundings' `post` brings.
  State advance();
  State state() const { return state_; }

  // Requests that came as messages. What else came, libssh has dropped (request_watch.h): it cannot be answered any
  // more, and the client waits for an answer, so the session has to end.
  unsigned requests_taken() const { return requests_taken_; }
  void on_dropped_request();

  // After kGranted.
  std::shared_ptr<vfs::SessionFs> take_fs() { return std::move(fs_); }
  // Among the user's sessions.
  std::shared_ptr<admin::Session> take_listed() { return std::move(listed_); }
  // For the log when the session ends before a login.
  bool tried() const { return tried_; }

 private:
  using Done = auth::LoginFlow::Done;
  using Check = LoginCheck::Check;
  using Verdict = LoginCheck::Verdict;
  // What authenticators said of a key that the client asked about, before it signs with it.
  struct KnownKey {
    std::string user, type, base64;
    bool allowed;
  };
  void on_message(MessagePtr message);
  Check password_check(ssh_message message) const;
  Check public_key_check(ssh_message message, bool probe);
  void on_interactive(MessagePtr message);
  bool ask_for_password(ssh_message message);
  bool ask(ssh_message message, const auth::Questions& questions);
  Check answer_check();
  Check questions_check(ssh_message message) const;
  void run_check(MessagePtr message, std::string user, auth::Method method, bool probe, const Check& check);
  void settle(ssh_message message, Verdict& verdict);
  void refuse(ssh_message message, const char* login_type, const std::string& user, const std::string& why);
  void reply_failure(ssh_message message);
  static void deny(ssh_message message);
  void send_banner();

  ssh_session session_;
  const LoginCheck::Surroundings surroundings_;
  const SessionOptions& options_;
  Peer peer_;
  std::shared_ptr<LoginCheck> check_;  // under way
  MessagePtr message_;                 // what it is to answer
  State state_ = State::kRunning;
  std::shared_ptr<vfs::SessionFs> fs_;
  std::shared_ptr<admin::Session> listed_;
  int failures_ = 0;
  bool tried_ = false;
  bool none_seen_ = false;
  bool banner_sent_ = false;
  std::string asked_;                         // the user who was asked: answers name none
  std::shared_ptr<auth::Dialogue> dialogue_;  // null: the question was our own
  std::optional<KnownKey> probed_, known_;    // what is being looked at; what was
  int unchecked_ = 0;
  unsigned requests_taken_ = 0;
};

}  // namespace host::ssh
