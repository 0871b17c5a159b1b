// SPDX-License-Identifier: Apache-2.0
//
// Which calls are spoiled, and how. One counter per rule for the whole storage: a client that comes back after the
// fault meets a storage that works.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <vector>

namespace fs_fault {

enum class Operation {
  kMount,
  kStat,
  kSetstat,
  kOpen,
  kRead,
  kWrite,
  kFstat,
  kFsetstat,
  kSync,
  kCommit,
  kOpendir,
  kReaddir,
  kMkdir,
  kRemove,
  kRmdir,
  kRename,
  kSymlink,
  kReadlink,
  kLink,
  kStatvfs,
  kCopy,
};

// What becomes of a call; rules add up.
struct Effect {
  sp_status error = SP_OK;
  int native = 0;  // the errno of `error`
  std::chrono::milliseconds delay{0};
  std::optional<std::size_t> short_bytes;  // of a read: no more than these
  bool drop = false;                       // ends the connections of whoever called
};

// Of all calls from `first` to `last`, every `every`-th, beginning with the first.
struct Which {
  std::uint64_t first = 1, last = std::numeric_limits<std::uint64_t>::max(), every = 1;
  bool holds(std::uint64_t call) const { return call >= first && call <= last && (call - first) % every == 0; }
};

struct Rule {
  std::optional<Operation> on;  // empty: any
  Which which;
  Effect effect;
};

// "read:3:error=EIO"; the failure says what is wrong with it.
sallyport::Outcome<Rule> parse_rule(const std::string& text);

class Faults {
 public:
  explicit Faults(const std::vector<Rule>& rules);
  // Counts one call. Any thread.
  Effect next(Operation operation);

 private:
  struct Counted {
    Rule rule;
    std::atomic<std::uint64_t> calls = 0;
    explicit Counted(const Rule& rule_in) : rule(rule_in) {}
  };
  std::vector<std::unique_ptr<Counted>> rules_;
};

}  // namespace fs_fault
