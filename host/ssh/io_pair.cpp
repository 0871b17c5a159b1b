// SPDX-License-Identifier: Apache-2.0
//
// How the pair comes to its end without losing a session that is between the two.
#include "host/ssh/io_pair.h"

#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "host/core/limits.h"

namespace host::ssh {

IoPair::IoPair(int number)
    : light_("io-" + std::to_string(number), core::limits::kShortSlice), bulk_("bulk-" + std::to_string(number), {}) {}

void IoPair::start() {
  light_.start();
  bulk_.start();
}

void IoPair::join() {
  bulk_.join();
  light_.join();
}

void IoPair::stop(Clock::time_point deadline) {
  stopping_ = true;
  light_.stop(deadline);
  bulk_.stop(deadline);
  end_if_done();
}

void IoPair::leave() {
  --sessions_;
  end_if_done();
}

// Neither thread ends while the other may still send it a session, or a worker something for one.
void IoPair::end_if_done() {
  if (!stopping_ || sessions_ > 0) return;
  light_.end();
  bulk_.end();
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
