// SPDX-License-Identifier: Apache-2.0
//
// One advertisement, from start to stop.
#pragma once

#include <cstdint>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <vector>

#include "avahi.h"

namespace advertise_mdns {

struct Settings {
  std::string name, type;
  std::uint16_t port = 0;
  std::vector<std::string> text;
};

class Advertiser {
 public:
  Advertiser(sallyport::Log log, Settings settings) : log_(std::move(log)), settings_(std::move(settings)) {}
  ~Advertiser() { stop(); }
  Advertiser(const Advertiser&) = delete;
  Advertiser& operator=(const Advertiser&) = delete;

  // Fails when there is no daemon to ask. What goes wrong later is told in the log.
  sallyport::Outcome<void> start();
  void stop();

 private:
  static void on_client(AvahiClient* client, ClientState state, void* context);
  static void on_group(AvahiEntryGroup* group, GroupState state, void* context);
  void publish(AvahiClient* client);
  void rename();
  void complain(const std::string& what, int error) const;

  const sallyport::Log log_;
  Settings settings_;  // the name changes when somebody else has it; then the library's thread alone uses them
  std::optional<Avahi> avahi_;
  AvahiThreadedPoll* poll_ = nullptr;
  AvahiClient* client_ = nullptr;
  AvahiEntryGroup* group_ = nullptr;  // the client's
};

}  // namespace advertise_mdns
