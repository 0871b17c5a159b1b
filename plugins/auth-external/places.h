// SPDX-License-Identifier: Apache-2.0
//
// The conversations that there may be at once. Neither strangers nor one client can have them all: somebody with an
// account would find none. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace auth_external {

class Places {
 public:
  using Place = std::shared_ptr<void>;  // free again when the last one lets go of it; may outlive this

  // `most_of_one`: of one client; 0: a quarter.
  explicit Places(std::size_t most, std::size_t most_of_one = 0);
  // Null when there is none. `known`: it is asked for somebody with an account.
  Place take(bool known, std::string_view address);

 private:
  struct Held;
  struct Taken;
  const std::size_t most_, most_of_one_, most_of_strangers_;
  const std::shared_ptr<Taken> taken_;
};

}  // namespace auth_external
