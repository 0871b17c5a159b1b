// SPDX-License-Identifier: Apache-2.0
//
// Puts what was done to files into the words and formats that log parsers of the replaced system know. Any thread; the
// log itself never blocks. Knows nothing of how an operation is done.
#include "host/vfs/journal.h"

#include <array>
#include <ctime>

#include "host/core/log.h"

namespace host::vfs::journal {
namespace {

using core::Attrs;
using core::Status;

core::log::Command line_for(const Context& context, std::string_view sender) {
  core::log::Command line;
  line.sender = sender;
  line.username = context.identity.user.username;
  line.connection_id = context.identity.connection_id;
  line.protocol = context.identity.protocol;
  return line;
}

std::int64_t owner_number(std::uint32_t id) { return id == Attrs::kKeep ? -1 : static_cast<std::int64_t>(id); }

}  // namespace

void command(const Context& context, std::string_view sender, const Place& place) {
  const std::string file = place.real_path();
  core::log::Command line = line_for(context, sender);
  line.file_path = file;
  core::log::command(line);
}

void command(const Context& context, std::string_view sender, const Place& place, const Place& target) {
  const std::string file = place.real_path();
  const std::string second = target.real_path();
  core::log::Command line = line_for(context, sender);
  line.file_path = file;
  line.target_path = second;
  core::log::command(line);
}

void ssh_command(const Context& context, std::string_view command_line, const core::VirtualPath& path) {
  core::log::Command line = line_for(context, "SSHCommand");
  line.file_path = path.str();
  line.ssh_command = command_line;
  line.protocol = "SSH";
  core::log::command(line);
}

void attrs(const Context& context, const Place& place, const Attrs& applied) {
  const std::string file = place.real_path();
  if (applied.has(Attrs::kPerms)) {
    const std::string mode = mode_text(applied.perms);
    core::log::Command line = line_for(context, "Chmod");
    line.file_path = file;
    line.filemode = mode;
    core::log::command(line);
  }
  if (applied.has(Attrs::kOwner)) {
    core::log::Command line = line_for(context, "Chown");
    line.file_path = file;
    line.uid = owner_number(applied.uid);
    line.gid = owner_number(applied.gid);
    core::log::command(line);
  }
  if (applied.has(Attrs::kMtime) || applied.has(Attrs::kAtime)) {
    const std::string accessed = applied.has(Attrs::kAtime) ? time_text(applied.atime_ns) : std::string();
    const std::string modified = applied.has(Attrs::kMtime) ? time_text(applied.mtime_ns) : std::string();
    core::log::Command line = line_for(context, "Chtimes");
    line.file_path = file;
    line.access_time = accessed;
    line.modification_time = modified;
    core::log::command(line);
  }
}

bool notable(const Place& place, const core::Error& error) {
  switch (error.status) {
    case Status::kDenied:  // the gate let it pass, so the store or its confinement refused
    case Status::kQuota:
    case Status::kNoSpace:
    case Status::kBusy:
    case Status::kTimedOut:
    case Status::kCancelled:
    case Status::kConflict:
    case Status::kIo:
    case Status::kInternal:
    case Status::kFull: return true;
    case Status::kNotFound: return place.path.text == "/";  // the home itself has vanished
    default: return false;
  }
}

void failure(const Context& context, std::string_view operation, const Place& place, const core::Error& error) {
  if (notable(place, error)) transfer_failure(context, operation, place, error);
}

void transfer_failure(const Context& context, std::string_view verb, const Place& place, const core::Error& error) {
  std::string text(verb);
  text.append(" \"").append(place.real_path()).append("\" failed: ").append(error.message());
  warn(context, text);
}

void warn(const Context& context, std::string_view message) {
  core::log::warn(kSender, context.identity.connection_id, message);
}

std::string mode_text(std::uint32_t perms) {
  constexpr std::string_view kLetters = "rwxrwxrwx";
  std::string text = "-";
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    text += (perms & (0400U >> i)) != 0 ? kLetters[i] : '-';
  }
  return text;
}

std::string time_text(std::int64_t time_ns) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  // Rounds towards the past, so that times before 1970 keep their second.
  const std::int64_t seconds = time_ns / kNsPerSecond - (time_ns % kNsPerSecond < 0 ? 1 : 0);
  const auto time = static_cast<std::time_t>(seconds);
  std::tm local{};
  if (localtime_r(&time, &local) == nullptr) return {};
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &local)};
}

}  // namespace host::vfs::journal
