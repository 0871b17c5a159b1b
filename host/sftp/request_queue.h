// SPDX-License-Identifier: Apache-2.0
//
// A first-in-first-out queue that owns no memory while it is empty.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "host/sftp/requests.h"

namespace host::sftp {

class RequestQueue {
 public:
  bool empty() const { return next_ == items_.size(); }
  std::size_t size() const { return items_.size() - next_; }
  Request& operator[](std::size_t index) { return items_[next_ + index]; }
  const Request& operator[](std::size_t index) const { return items_[next_ + index]; }
  void push(Request request) { items_.push_back(std::move(request)); }
  Request pop();
  void clear();

 private:
  std::vector<Request> items_;
  std::size_t next_ = 0;
};

}  // namespace host::sftp
