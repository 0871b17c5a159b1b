// SPDX-License-Identifier: Apache-2.0
//
// The part of libavahi-client's interface (version 3 of the library) that is used here, bound at run time.
#pragma once

#include <cstdint>
#include <sallyport/cpp/base.hpp>

namespace advertise_mdns {

// Names, numbers and shapes as in avahi-common and avahi-client.
struct AvahiPoll;
struct AvahiThreadedPoll;
struct AvahiClient;
struct AvahiEntryGroup;
struct AvahiStringList;

inline constexpr int kInterfaceAny = -1, kProtocolAny = -1;
enum ClientState : int { kClientRegistering = 1, kClientRunning = 2, kClientCollision = 3, kClientFailure = 100 };
enum GroupState : int { kGroupEstablished = 2, kGroupCollision = 3, kGroupFailure = 4 };
using ClientCallback = void (*)(AvahiClient*, ClientState, void*);
using GroupCallback = void (*)(AvahiEntryGroup*, GroupState, void*);

struct Avahi {
  // libavahi-common
  AvahiThreadedPoll* (*threaded_poll_new)();
  const AvahiPoll* (*threaded_poll_get)(AvahiThreadedPoll*);
  int (*threaded_poll_start)(AvahiThreadedPoll*);
  int (*threaded_poll_stop)(AvahiThreadedPoll*);
  void (*threaded_poll_free)(AvahiThreadedPoll*);
  const char* (*strerror)(int);
  AvahiStringList* (*string_list_new_from_array)(const char** texts, int count);
  void (*string_list_free)(AvahiStringList*);
  char* (*alternative_service_name)(const char*);
  void (*free)(void*);
  // libavahi-client
  AvahiClient* (*client_new)(const AvahiPoll*, int flags, ClientCallback, void* context, int* error);
  void (*client_free)(AvahiClient*);
  int (*client_errno)(AvahiClient*);
  AvahiEntryGroup* (*entry_group_new)(AvahiClient*, GroupCallback, void* context);
  int (*entry_group_add_service_strlst)(AvahiEntryGroup*, int interface, int protocol, int flags, const char* name,
                                        const char* type, const char* domain, const char* host, std::uint16_t port,
                                        AvahiStringList*);
  int (*entry_group_commit)(AvahiEntryGroup*);
  int (*entry_group_reset)(AvahiEntryGroup*);

  // Loads both libraries, for good. [setup]
  static sallyport::Outcome<Avahi> load();
};

}  // namespace advertise_mdns
