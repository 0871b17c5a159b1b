// SPDX-License-Identifier: Apache-2.0
//
// Which of the two sides the client asked for: -t makes us the sink, -f the source.
#include "host/scp/channel.h"

#include "host/scp/sink.h"
#include "host/scp/source.h"

namespace host::scp {

std::shared_ptr<core::Channel> make_channel(std::shared_ptr<vfs::SessionFs> fs, Arguments arguments,
                                            core::Channel::Hooks hooks) {
  if (arguments.sink) return std::make_shared<Sink>(std::move(fs), std::move(arguments), std::move(hooks));
  return std::make_shared<Source>(std::move(fs), std::move(arguments), std::move(hooks));
}

}  // namespace host::scp
