// SPDX-License-Identifier: Apache-2.0
//
// Counts failed password logins by address, and by user name and address, and refuses for a time who has too many.
// Addresses are those of clients, also behind a proxy that names them; an IPv6 address counts as its /64. Any thread;
// nothing here blocks for longer than a short lock.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/users/cidr.h"

namespace host::auth {

struct DefenderOptions {
  bool enabled = false;
  int max_failures = 30;           // of an address: then nobody there gets in
  int max_failures_per_user = 15;  // of a name at an address: then that name does not from there
  std::chrono::seconds window{600}, ban_time{900};
  std::vector<users::Cidr> allowed, denied;  // allowed wins
};

// What counts as one client: "192.0.2.7", "2001:db8:1:2::/64".
std::string network_of(const users::IpAddress& address);

class Defender {
 public:
  using Clock = std::chrono::steady_clock;
  explicit Defender(DefenderOptions options, std::function<Clock::time_point()> now = Clock::now);
  ~Defender();

  // Bans in force stay when options change, unless it is switched off.
  void set_options(DefenderOptions options);

  struct Refusal {
    std::string reason;      // for the log
    const char* login_type;  // of its line: that of passwords where failed passwords are the reason
  };
  // Before anything is said to a client.
  std::optional<Refusal> refuses(std::string_view ip);
  // Before a password is checked.
  std::optional<std::string> refuses(std::string_view ip, std::string_view username);
  void note_failure(std::string_view ip, std::string_view username);
  void note_success(std::string_view ip, std::string_view username);  // the name's failures there are forgotten

  struct Ban {
    std::string network;   // as network_of() has it
    std::string username;  // empty: everybody there
    std::chrono::seconds left;
  };
  std::vector<Ban> bans();
  // Ends the bans of a network and its names, or of one name there, and forgets their failures. `network` as in Ban,
  // or any address in it. False: there was none.
  bool lift(std::string_view network, std::string_view username = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace host::auth
