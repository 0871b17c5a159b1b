// SPDX-License-Identifier: Apache-2.0
//
// What to hash when an account does not exist, so that a stranger cannot tell by the clock. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace host::auth {

// Installations may hold hashes of several schemes and costs (imported accounts). The decoy learns which costs occur
// and gives each unknown name one of them, always the same one, so that unknown names look like the known ones.
class Decoy {
 public:
  static constexpr std::size_t kMaxClasses = 16;

  Decoy();
  // Call with the stored hash of every account that is looked up.
  void learn(std::string_view hash);
  // A hash to verify in vain for this name; empty: the default cost.
  std::string pick(std::string_view username) const;

 private:
  struct Class {
    std::string cost;    // users::hash_cost_class
    std::string sample;  // a hash of that cost, without anybody's secret
  };
  mutable std::mutex mutex_;
  std::vector<Class> classes_;
  std::array<unsigned char, 32> secret_{};  // so that nobody can compute the choice
};

}  // namespace host::auth
