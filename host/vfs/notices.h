// SPDX-License-Identifier: Apache-2.0
//
// What events say about files, for host/events. Any thread; nothing is made when nobody wants to hear it. Only `asked`
// blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "host/core/result.h"
#include "host/events/events.h"
#include "host/vfs/context.h"

namespace host::vfs::notices {

bool wanted(const Context& context, events::Kind kind);
bool asks_before(const Context& context);  // whether `asked` asks anybody

void file(const Context& context, events::Kind kind, const core::VirtualPath& path, std::optional<std::uint64_t> size);
void renamed(const Context& context, const core::VirtualPath& from, const core::VirtualPath& to);
void ssh_command(const Context& context, std::string_view command_line, const core::VirtualPath& path);

// May it happen? kDenied when a notifier refuses.
core::Result<void> asked(const Context& context, events::Kind kind, const core::VirtualPath& path,
                         std::optional<std::uint64_t> size = std::nullopt);

}  // namespace host::vfs::notices
