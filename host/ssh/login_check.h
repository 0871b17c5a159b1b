// SPDX-License-Identifier: Apache-2.0
//
// One attempt at a login as workers have it: the check of credentials, then the mount of the user's files. All that is
// left of a session whose client goes away meanwhile, so it refers neither to that session nor to libssh.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "host/auth/login_flow.h"
#include "host/plugin/authenticator.h"
#include "host/ssh/context.h"
#include "host/ssh/io_group.h"

namespace host::ssh {

class LoginCheck : public std::enable_shared_from_this<LoginCheck> {
 public:
  // What it takes along of its session.
  struct Surroundings {
    std::shared_ptr<IoGroup> threads;  // do not end before it
    std::shared_ptr<Context> context;
    std::shared_ptr<const SessionOptions> options;
    // Given back when the credentials are right. Until then also by one whose client has left: it still takes workers.
    std::shared_ptr<Places::Place> place;
    // Runs work on the session's thread, and lets the session go on if it is still there. Any thread.
    std::function<void(std::function<void()>)> post;
    std::function<void()> close;  // somebody in charge wants the session gone; any thread
  };
  struct Verdict {
    auth::Method method;
    const char* login_type;
    std::string user;
    bool probe;
    bool key_allowed = false;
    bool asks = false;  // no verdict yet
    auth::Questions questions = {};
    std::shared_ptr<auth::Dialogue> dialogue = {};
    std::string refused = {};  // why, which the log says already; empty: accepted
    bool unusable = false;     // the credentials are right, but there is nothing to serve
    bool unchecked = false;    // nobody could tell whether they are right
    std::shared_ptr<vfs::SessionFs> fs = {};
    std::shared_ptr<admin::Session> listed = {};  // among the user's sessions
  };
  using Check = std::function<void(auth::LoginFlow&, auth::LoginFlow::Done)>;
  using Settle = std::function<void(Verdict&)>;

  // `asked`: user, method and probe; `identity`: all but the user. `settle` runs once, on the session's thread, unless
  // the check is abandoned.
  LoginCheck(Surroundings surroundings, std::string client_ip, vfs::Identity identity, Verdict asked, Settle settle);

  // The session's thread: once each.
  void start(const Check& check);
  // Nobody waits for it any more: whoever works on it may stop.
  void abandon();

 private:
  void on_reply(auth::Reply reply);
  void admit(auth::Grant grant);
  bool list(const users::User& user);
  void mount();
  void on_mounted(core::Result<std::shared_ptr<vfs::SessionFs>> fs);
  void no_files(std::string why);
  void conclude(bool let_in);
  void finish();
  void settle();
  void tell() const;
  void tell_left() const;
  std::string who(const char* what) const;

  const std::shared_ptr<void> stay_;  // first: nothing of it may outlive the server
  const Surroundings around_;
  const Services& services_;
  const std::string client_ip_;
  vfs::Identity identity_;
  Verdict verdict_;
  Settle settle_;
  bool told_ = false;  // the operator, why it came to nothing; on the session's thread
  std::optional<Places::Place> mounting_;
  std::mutex mutex_;  // for the next two
  bool abandoned_ = false;
  std::shared_ptr<admin::Session> listed_;  // counts as a session until the client leaves
  std::optional<plugin::SessionGone> gone_;
};

}  // namespace host::ssh
