// SPDX-License-Identifier: Apache-2.0
//
// The operator's log lines about files: commands that were done and failures that need somebody's attention. Paths in
// them are those of the server. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/core/attrs.h"
#include "host/core/result.h"
#include "host/vfs/context.h"

namespace host::vfs::journal {

// The sender of app lines written here.
inline constexpr std::string_view kSender = "vfs";

// A command with one path, or two.
void command(const Context& context, std::string_view sender, const Place& place);
void command(const Context& context, std::string_view sender, const Place& place, const Place& target);
// An SSH command that was carried out.
void ssh_command(const Context& context, std::string_view command_line, const core::VirtualPath& path);
// One Chmod, Chown or Chtimes line per group of `applied`.
void attrs(const Context& context, const Place& place, const core::Attrs& applied);

// Does a failure that a storage reported deserve a line? What a client's own mistake explains does not.
bool notable(const Place& place, const core::Error& error);
// Writes that line, when notable.
void failure(const Context& context, std::string_view operation, const Place& place, const core::Error& error);
// The same whatever it was: of a transfer there is always a line.
void transfer_failure(const Context& context, std::string_view verb, const Place& place, const core::Error& error);
void warn(const Context& context, std::string_view message);

std::string mode_text(std::uint32_t perms);   // "-rw-r--r--"
std::string time_text(std::int64_t time_ns);  // "2006-01-02T15:04:05", local

}  // namespace host::vfs::journal
