// SPDX-License-Identifier: Apache-2.0
//
// The authenticator plugins in their configured order: whoever decides first decides. Each has its own bounded pool of
// workers, so that one that is slow or stuck holds up neither the host's own checks nor the others.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/auth/login.h"
#include "host/auth/questions.h"
#include "host/core/result.h"
#include "host/core/worker_pool.h"
#include "host/plugin/authenticator.h"
#include "host/users/store.h"

namespace host::auth {

// One attempt as authenticators see it.
struct Presented {
  Attempt attempt;
  std::uint32_t method = 0;  // one plugin::AuthMethod
  Secret secret;             // may be null
  std::string public_key;
};

class Authenticators {
 public:
  // Questions are out. Whoever lets go of it ends the conversation, without waiting for that.
  class Dialogue;
  static std::size_t question_count(const Dialogue& dialogue);
  // Is its answer the stored password, for the host to compare?
  static bool checks_password(const Dialogue& dialogue);

  struct Outcome {
    enum class Kind { kNext, kAllowed, kAsks, kRefused };
    Kind kind = Kind::kRefused;
    core::Error error = {};  // of kRefused
    std::string by = {};     // of kAllowed: who
    Questions questions = {};
    std::shared_ptr<Dialogue> dialogue = {};
    bool unchecked = false;  // of kRefused: the server's own trouble, no authenticator's
  };
  // kNext and kAllowed come on the login pool, of passwords where they are hashed; anything else on any thread.
  using Done = std::function<void(Outcome)>;

  // `concurrency`: calls of each authenticator at once. `login`, whose pools stop with it, and `store` outlive it.
  Authenticators(users::Store& store, Login& login, std::vector<std::unique_ptr<plugin::Authenticator>> plugins,
                 std::size_t concurrency);
  ~Authenticators();

  bool wants(std::uint32_t method) const;
  // On the login pool.
  void begin(Presented presented, Done done);
  void answer(const std::shared_ptr<Dialogue>& dialogue, std::vector<Secret> answers, Done done);

 private:
  struct Place;
  class Walk;
  std::vector<std::unique_ptr<Place>> places_;
  users::Store& store_;
  Login& login_;
};

}  // namespace host::auth
