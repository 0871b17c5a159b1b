// SPDX-License-Identifier: Apache-2.0
//
// Runs on the login pool, then on the pool of the user's storage; its outcome crosses to the session's thread. Whoever
// works on it holds it, and a worker that never comes back costs what this holds: no descriptor, no place of the
// client's address, none of the user's sessions.
#include "host/ssh/login_check.h"

#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/plugin/session_gone.h"

namespace host::ssh {
namespace {

constexpr std::string_view kSender = "sftpd";
constexpr const char* kHasLeft = "the client has left";
constexpr const char* kRight = "was right";
constexpr const char* kUnchecked = "may be right, which could not be checked";
constexpr const char* kWhatToDo =
    "; see whether the storage is there, and what the account says of it (filesystem, home_dir)";

admin::LoginInfo login_of(const users::User& user, const vfs::Identity& identity) {
  return {.username = user.username,
          .connection_id = identity.connection_id,
          .client_version = identity.client_version,
          .remote_address = identity.remote_address,
          .max_sessions = user.max_sessions,
          .upload_bandwidth = user.upload_bandwidth,
          .download_bandwidth = user.download_bandwidth};
}

}  // namespace

LoginCheck::LoginCheck(Surroundings surroundings, std::string client_ip, vfs::Identity identity, Verdict asked,
                       Settle settle)
    : stay_(IoGroup::stay(surroundings.threads)),
      around_(std::move(surroundings)),
      services_(around_.context->services),
      client_ip_(std::move(client_ip)),
      identity_(std::move(identity)),
      verdict_(std::move(asked)),
      settle_(std::move(settle)) {}

void LoginCheck::start(const Check& check) {
  check(*services_.logins, [self = shared_from_this()](auth::Reply reply) { self->on_reply(std::move(reply)); });
}

void LoginCheck::abandon() {
  std::shared_ptr<admin::Session> listed;  // it leaves the others of its user, which is not for under the lock
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    listed = std::move(listed_);
  }
  gone_.emplace(identity_.session_number);
  settle_ = nullptr;
  told_ = listed != nullptr;
  if (told_) tell_left();
}

void LoginCheck::on_reply(auth::Reply reply) {
  verdict_.key_allowed = reply.allowed;
  if (reply.asks) {
    verdict_.asks = true;
    verdict_.questions = std::move(reply.questions);
    verdict_.dialogue = std::move(reply.dialogue);
  } else if (!reply.grant) {
    verdict_.refused = reply.grant.error().message();
    verdict_.unchecked = reply.unchecked;
  } else if (!verdict_.probe) {
    admit(std::move(*reply.grant));
    return;
  }
  finish();
}

void LoginCheck::admit(auth::Grant grant) {
  if (!list(grant.user)) return;
  // From here on the client is known, and what it waits for is its own storage.
  around_.place->give_back();
  identity_.user = std::move(grant.user);
  core::log::info(kSender, identity_.connection_id,
                  "user \"" + verdict_.user + "\" logged in with: " + grant.description + ", remote address " +
                      identity_.remote_address + ", client " + identity_.client_version);
  mount();
}

bool LoginCheck::list(const users::User& user) {
  // A session counts from here to its end, so that logins side by side cannot pass the limit together.
  auto listed = services_.sessions->enter(login_of(user, identity_));
  if (!listed) {
    conclude(false);
    verdict_.refused = "the user has as many sessions as max_sessions allows: " + std::to_string(user.max_sessions);
    finish();
    return false;
  }
  const auto most = core::limits::kMaxMountsPerUser;
  auto mounting = around_.context->mounting.enter(user.username, most);
  if (!mounting) {
    no_files("the storage of the user does not answer: " + std::to_string(most) + " logins wait for it already");
    return false;
  }
  mounting_.emplace(std::move(*mounting));
  identity_.activity = listed->activity();
  identity_.throttle = listed->throttle();
  listed->on_close(around_.close);
  {
    const std::lock_guard lock(mutex_);
    if (!abandoned_) listed_ = std::move(listed);
  }
  if (!listed) return true;
  conclude(true);
  tell_left();
  return false;
}

// On the storage's own pool, so that a stuck storage holds up no other login.
void LoginCheck::mount() {
  const auto pool = vfs::SessionFs::mount_pool(*services_.registry, identity_);
  if (!pool) return on_mounted(pool.error());
  auto options = around_.options->vfs;
  options.quotas = services_.quotas;
  options.events = services_.events;
  options.master_keys = services_.master_keys;
  const bool queued = (*pool)->submit([self = shared_from_this(), options] {
    if (plugin::session_gone(self->identity_.session_number))
      return self->on_mounted(core::Error(core::Status::kCancelled, kHasLeft));
    self->on_mounted(vfs::SessionFs::mount(*self->services_.registry, self->identity_, options));
  });
  if (!queued) on_mounted(core::Error(core::Status::kBusy, "the storage has too many requests waiting"));
}

void LoginCheck::on_mounted(core::Result<std::shared_ptr<vfs::SessionFs>> fs) {
  mounting_.reset();
  if (!fs) {
    no_files("cannot open the user's files: " + fs.error().message());
    return;
  }
  conclude(true);
  verdict_.fs = std::move(*fs);
  finish();
}

// It counts as a login, since no other password would have done better.
void LoginCheck::no_files(std::string why) {
  conclude(true);
  verdict_.unusable = true;
  verdict_.refused = std::move(why);
  finish();
}

void LoginCheck::conclude(bool let_in) {
  services_.logins->conclude({verdict_.user, client_ip_, identity_.session_number}, verdict_.method, let_in);
}

void LoginCheck::finish() {
  around_.post([self = shared_from_this()] { self->settle(); });
}

void LoginCheck::settle() {
  if (!verdict_.refused.empty() && !told_) tell();
  if (!settle_) return;
  verdict_.listed = std::move(listed_);
  std::exchange(settle_, nullptr)(verdict_);
}

// No connection_failed line of those who are not to blame: fail2ban counts these.
void LoginCheck::tell() const {
  if (verdict_.unchecked)
    return core::log::error(kSender, identity_.connection_id, who(kUnchecked) + ": " + verdict_.refused);
  if (!verdict_.unusable)
    return core::log::connection_failed({client_ip_, verdict_.user, verdict_.login_type, verdict_.refused});
  core::log::error(kSender, identity_.connection_id, who(kRight) + ": " + verdict_.refused + kWhatToDo);
}

void LoginCheck::tell_left() const {
  core::log::warn(kSender, identity_.connection_id,
                  who(kRight) + ": the client left, or its time was over, before the storage of the user answered");
}

std::string LoginCheck::who(const char* what) const {
  return "user \"" + verdict_.user + "\" at " + client_ip_ + " gets no session, although the login (" +
         verdict_.login_type + ") " + what;
}

}  // namespace host::ssh
