// SPDX-License-Identifier: Apache-2.0
//
// Scans run on a pool of their own, so that neither logins nor transfers wait for them, and end early when the server
// stops. One per account at a time. Must not know who asked.
#include "host/admin/jobs.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "host/admin/backup.h"
#include "host/admin/restore.h"
#include "host/admin/user_events.h"
#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/core/metrics.h"
#include "host/users/bounded_json.h"

namespace host::admin {
namespace {

using core::Error;
using core::Result;
using core::Status;
using Json = nlohmann::ordered_json;

constexpr std::string_view kSender = "jobs";
// Storage calls of scans are told from those of sessions, which count from 1.
constexpr std::uint64_t kFirstScanNumber = std::uint64_t{1} << 63;

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

Error invalid(const std::string& text) { return {Status::kInvalid, text}; }

}  // namespace

Jobs::Jobs(plugin::Registry& registry, users::Store& store, vfs::Quotas& quotas, Options options)
    : registry_(registry),
      store_(store),
      quotas_(quotas),
      options_(std::move(options)),
      pool_("jobs", core::limits::kJobThreads, core::limits::kJobQueue) {}

Jobs::~Jobs() { stop(); }

void Jobs::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& [username, scan] : scans_) {
      if (scan.files) scan.files->cancel();
    }
  }
  pool_.stop();
}

Result<std::string> Jobs::scans() {
  Json all = Json::array();
  const std::lock_guard lock(mutex_);
  for (const auto& [username, scan] : scans_) {
    all.push_back({{"username", username}, {"start_time", scan.start_time_ms}});
  }
  return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::size_t Jobs::running() const {
  const std::lock_guard lock(mutex_);
  return scans_.size();
}

bool Jobs::begin(const std::string& username) {
  const std::lock_guard lock(mutex_);
  return !stopping_ && scans_.try_emplace(username, Scan{now_ms(), nullptr}).second;
}

void Jobs::end(const std::vector<std::string>& usernames) {
  const std::lock_guard lock(mutex_);
  for (const auto& username : usernames) scans_.erase(username);
}

bool Jobs::going_on() {
  const std::lock_guard lock(mutex_);
  return !stopping_;
}

Result<void> Jobs::start_scan(std::string_view username) {
  const auto user = store_.find(username);
  if (!user && user.error().status != Status::kNotFound) return user.error();
  const std::string name(username);
  if (!user) return Error(Status::kNotFound, "Not found: username " + name + " does not exist");
  if (!begin(name)) return Error(Status::kConflict, "Another scan is already in progress");
  if (pool_.submit([this, name] { scan(name); })) return core::ok();
  end({name});
  return Error(Status::kBusy, "too many scans are waiting");
}

Result<users::Usage> Jobs::count(const std::string& username) {
  auto user = store_.find(username);
  if (!user) return user.error();
  vfs::Identity identity;
  identity.user = std::move(*user);
  identity.protocol = "scan";
  {
    const std::lock_guard lock(mutex_);
    identity.session_number = kFirstScanNumber + scans_so_far_++;
  }
  vfs::Options options;
  options.make_home = false;
  options.master_keys = &store_.master_keys();
  auto files = vfs::SessionFs::mount(registry_, std::move(identity), options);
  if (!files) return files.error();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return Error(Status::kCancelled);
    scans_[username].files = *files;
  }
  return (*files)->scan_usage();
}

void Jobs::scan(const std::string& username) {
  const auto found = going_on() ? count(username) : Error(Status::kCancelled);
  Result<void> kept = core::ok();
  if (found && options_.keep_usage) {
    const auto stored = store_.usage(username);
    kept = stored ? quotas_.of(username, *stored)->set(*found) : Result<void>(stored.error());
  }
  using core::metrics::Counter;
  core::metrics::add(found && kept ? Counter::kScans : Counter::kScanErrors);
  if (!found || !kept) {
    core::log::warn(kSender, "",
                    "user \"" + username +
                        "\": the quota scan failed: " + (found ? kept.error().message() : found.error().message()));
  } else {
    core::log::info(kSender, "",
                    "user \"" + username + "\": the quota scan found " + std::to_string(found->files) + " files with " +
                        std::to_string(found->size) + " bytes");
  }
  end({username});
}

void Jobs::scan_all(const std::vector<std::string>& usernames) {
  for (auto it = usernames.begin(); it != usernames.end(); ++it) {
    if (!going_on()) {
      core::log::warn(kSender, "", std::to_string(usernames.end() - it) + " quota scans were given up at the stop");
      return end({it, usernames.end()});
    }
    scan(*it);
  }
}

// All of them are listed from here on. Whoever is being scanned already is so for the files there are now, too.
void Jobs::submit_scans(std::vector<std::string> usernames) {
  std::erase_if(usernames, [this](const auto& username) { return !begin(username); });
  if (usernames.empty() || pool_.submit([this, usernames] { scan_all(usernames); })) return;
  end(usernames);
  core::log::warn(kSender, "", "restore: too many scans are waiting, quotas were not counted");
}

Result<void> Jobs::dump(std::string_view request_json) {
  const Json request = users::parse_bounded(request_json);
  if (!request.is_object()) return invalid("the request is not a JSON object");
  const std::string name = users::text_member(request, "output_file").value_or("");
  const auto indent = request.find("indent");
  if (indent != request.end() && !indent->is_boolean()) return invalid("Invalid indent");
  if (name.empty() || name.find('\0') != std::string::npos) return invalid("Invalid or missing output_file");
  if (name.front() == '/') return invalid("Invalid output_file " + name + ": it must be a relative path");
  if (name.find("..") != std::string::npos) return invalid("Invalid output_file " + name + ": it contains \"..\"");
  const auto file = options_.backups / name;
  if (!file.has_filename()) return invalid("Invalid output_file " + name + ": it names a directory");
  quotas_.flush();
  const std::lock_guard only(one_file_);
  const auto written =
      write_backup(store_, file, indent != request.end() && indent->get<bool>(), [this] { return going_on(); });
  if (!written) {
    core::log::error(kSender, "", "backup: " + written.error().message());
    return written.error();
  }
  core::log::info(kSender, "", "backup: " + std::to_string(written->users) + " users written to " + file.string());
  if (written->bytes > core::limits::kMaxBackupBytes) {
    core::log::warn(kSender, "",
                    "backup: " + file.string() + " has more than the " + std::to_string(core::limits::kMaxBackupBytes) +
                        " bytes that a restore takes: it must be divided before");
  }
  return core::ok();
}

Result<plugin::HostJobs::Restored> Jobs::restore(std::string_view request_json) {
  const Json request = users::parse_bounded(request_json);
  if (!request.is_object()) return invalid("the request is not a JSON object");
  const std::string name = users::text_member(request, "input_file").value_or("");
  const auto wanted_mode = users::number_member(request, "mode"), scan = users::number_member(request, "scan_quota");
  if (!wanted_mode || *wanted_mode < 0 || *wanted_mode > 1) return invalid("Invalid mode: 0 or 1 is allowed");
  if (!scan || *scan < 0 || *scan > 2) return invalid("Invalid scan_quota: 0, 1 or 2 is allowed");
  if (name.empty() || name.front() != '/' || name.find('\0') != std::string::npos) {
    return invalid("Invalid input_file \"" + name + "\": it must be an absolute path");
  }
  const auto mode = *wanted_mode == 1 ? RestoreMode::kSkipExisting : RestoreMode::kUpdate;
  const std::lock_guard only(one_file_);
  std::vector<std::string> to_scan;
  const auto taken = [&](const users::User& user, bool is_new) {
    tell(options_.events, is_new ? events::Kind::kUserAdd : events::Kind::kUserUpdate, user, registry_);
    const bool limited = user.quota_size > 0 || user.quota_files > 0;
    if (*scan == 1 || (*scan == 2 && limited)) to_scan.push_back(user.username);
  };
  const auto done = read_backup(
      store_, name, mode, [this] { return going_on(); }, taken);
  if (!done) return done.error();
  core::log::info(kSender, "",
                  "restore from " + name + ": " + std::to_string(done->added) + " users added, " +
                      std::to_string(done->updated) + " updated, " + std::to_string(done->skipped) + " skipped, " +
                      std::to_string(done->refused) + " refused");
  for (const auto& refusal : done->refusals) {
    core::log::warn(kSender, "", "restore: user \"" + refusal.username + "\" refused: " + refusal.reason.message());
  }
  submit_scans(std::move(to_scan));
  Restored restored{to_json(*done), core::ok()};
  if (done->ended.status != Status::kOk) {
    restored.outcome = Error(done->ended.status, done->ended.message() + "; users after the first " +
                                                     std::to_string(done->seen()) + " are not restored");
    core::log::warn(kSender, "", "restore from " + name + ": " + restored.outcome.error().message());
  } else if (!done->refusals.empty()) {
    const auto& first = done->refusals.front();
    restored.outcome = Error(first.reason.status, first.reason.message() + " (user \"" + first.username + "\"; " +
                                                      std::to_string(done->refused) + " refused in all)");
  }
  return restored;
}

}  // namespace host::admin
