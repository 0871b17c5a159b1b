// SPDX-License-Identifier: Apache-2.0
//
// Faults as they happen to the calls of one mount: waiting, dropping, failing.
#pragma once

#include <sallyport/cpp/plugin.hpp>
#include <string_view>

#include "faults.h"

namespace fs_fault {

class Trouble {
 public:
  // `user` is borrowed for as long as the mount lasts.
  Trouble(const sp_host& host, Faults& faults, std::string_view user) : host_(&host), faults_(&faults), user_(user) {}

  // Counts the call, waits where it is to be slow, and fails where it is to fail.
  sallyport::Outcome<void> meet(Operation operation, const sp_op& op) const;
  // The same for a read: `bytes` becomes less where it is to be short; true then.
  sallyport::Outcome<bool> meet_read(const sp_op& op, std::size_t& bytes) const;

 private:
  sallyport::Outcome<void> suffer(const Effect& effect, const sp_op& op) const;
  void wait(std::chrono::milliseconds time, const sp_op& op) const;
  void drop() const;

  const sp_host* host_;
  Faults* faults_;
  std::string_view user_;
};

}  // namespace fs_fault
