// SPDX-License-Identifier: Apache-2.0
//
// How the pair comes to its end without losing a session that is between the two. Any thread.
#include "host/ssh/io_pair.h"

#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "host/core/limits.h"

namespace host::ssh {

IoPair::IoPair(int number)
    : light_("io-" + std::to_string(number), core::limits::kShortSlice), bulk_("bulk-" + std::to_string(number), {}) {
  light_.expect_sessions(true);
  bulk_.on_end([this] { boost::asio::post(light_.io(), [this] { light_.expect_sessions(false); }); });
}

void IoPair::start() {
  light_.start();
  bulk_.start();
}

void IoPair::join() {
  bulk_.join();
  light_.join();
}

// A stopping thread sends no session away. So the bulk thread is told by the light one, behind whatever that sent it,
// and the light one waits for the end of the other.
void IoPair::stop(Clock::time_point deadline) {
  light_.stop(deadline, [this, deadline] { bulk_.stop(deadline, [] {}); });
}

void Residence::post(std::function<void()> work) {
  const auto pair = pair_.lock();
  if (!pair) return;
  const bool bulk = on_bulk_;
  boost::asio::post((bulk ? pair->bulk() : pair->light()).io(),
                    [self = shared_from_this(), bulk, work = std::move(work)]() mutable {
                      if (self->on_bulk_ == bulk) {
                        work();
                      } else {
                        self->post(std::move(work));  // it moved meanwhile
                      }
                    });
}

}  // namespace host::ssh
