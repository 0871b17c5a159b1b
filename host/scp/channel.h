// SPDX-License-Identifier: Apache-2.0
//
// The remote side of scp over one channel, for clients that do not use SFTP for it.
#pragma once

#include <memory>
#include <string>

#include "host/core/channel.h"
#include "host/scp/arguments.h"
#include "host/vfs/session_fs.h"

namespace host::scp {

std::shared_ptr<core::Channel> make_channel(std::shared_ptr<vfs::SessionFs> fs, Arguments arguments,
                                            core::Channel::Hooks hooks);

}  // namespace host::scp
