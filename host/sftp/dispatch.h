// SPDX-License-Identifier: Apache-2.0
//
// THE table: every request we know, how it is parsed, what runs it and how it is scheduled.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "host/sftp/handlers.h"
#include "host/sftp/requests.h"

namespace host::sftp {

enum class Kind : std::uint8_t {
  kQuick,   // touches no storage: answered in place
  kWorker,  // a barrier on the worker pool of its path or handle
  kOpen,    // the same, and makes a handle
  kClose,   // the same, and ends one
  kRead,    // data requests may run beside others of disjoint ranges
  kWrite,
  kCopy,  // a barrier that runs alone, in slices
};

struct Row {
  Type type;
  std::string_view name;  // of the type; of an extended request: its name on the wire
  Kind kind;
  Body (*parse)(Reader&);
  void (*run)(Call&, Request&);
  // Extended requests only: the version to advertise, and whether a mount offers it.
  std::string_view version = {};
  bool (*offered)(const vfs::Features&) = nullptr;
};

std::span<const Row> rows();

// One packet without its length word. Nothing when it has no room for type and id; every other flaw is a Refused.
std::optional<Request> parse_packet(std::span<const std::byte> packet, std::shared_ptr<const core::Block> memory);

// Runs a started request and puts its reply into call.out.
void run_request(Call& call, Request& request);

}  // namespace host::sftp
