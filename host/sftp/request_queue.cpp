// SPDX-License-Identifier: Apache-2.0
//
// Taking from the front costs nothing most of the time: gaps are closed when half of the memory is one.
#include "host/sftp/request_queue.h"

#include <utility>

namespace host::sftp {

Request RequestQueue::pop() {
  auto request = std::move(items_[next_++]);
  if (empty()) {
    clear();
  } else if (next_ >= 64 && next_ * 2 >= items_.size()) {
    items_.erase(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = 0;
  }
  return request;
}

void RequestQueue::clear() {
  items_ = std::vector<Request>();
  next_ = 0;
}

}  // namespace host::sftp
