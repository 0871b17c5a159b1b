// SPDX-License-Identifier: Apache-2.0
//
// One row per function that is looked up. Start of the service only; the libraries stay loaded.
#include "avahi.h"

#include <dlfcn.h>

#include <string>

namespace advertise_mdns {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

constexpr char kCommon[] = "libavahi-common.so.3", kClient[] = "libavahi-client.so.3";

class Library {
 public:
  explicit Library(const char* file) : handle_(::dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) problem_ = ::dlerror();
  }

  template <class Function>
  void find(const char* name, Function& function) {
    if (!problem_.empty()) return;
    function = reinterpret_cast<Function>(::dlsym(handle_, name));
    if (function == nullptr) problem_ = ::dlerror();
  }

  const std::string& problem() const { return problem_; }

 private:
  void* const handle_;
  std::string problem_;
};

}  // namespace

Outcome<Avahi> Avahi::load() {
  Avahi avahi{};
  Library common(kCommon);
  common.find("avahi_threaded_poll_new", avahi.threaded_poll_new);
  common.find("avahi_threaded_poll_get", avahi.threaded_poll_get);
  common.find("avahi_threaded_poll_start", avahi.threaded_poll_start);
  common.find("avahi_threaded_poll_stop", avahi.threaded_poll_stop);
  common.find("avahi_threaded_poll_free", avahi.threaded_poll_free);
  common.find("avahi_strerror", avahi.strerror);
  common.find("avahi_string_list_new_from_array", avahi.string_list_new_from_array);
  common.find("avahi_string_list_free", avahi.string_list_free);
  common.find("avahi_alternative_service_name", avahi.alternative_service_name);
  common.find("avahi_free", avahi.free);
  Library client(kClient);
  client.find("avahi_client_new", avahi.client_new);
  client.find("avahi_client_free", avahi.client_free);
  client.find("avahi_client_errno", avahi.client_errno);
  client.find("avahi_entry_group_new", avahi.entry_group_new);
  client.find("avahi_entry_group_add_service_strlst", avahi.entry_group_add_service_strlst);
  client.find("avahi_entry_group_commit", avahi.entry_group_commit);
  client.find("avahi_entry_group_reset", avahi.entry_group_reset);
  for (const auto* library : {&common, &client}) {
    if (!library->problem().empty()) return Failure{SP_E_NOT_FOUND, library->problem(), 0};
  }
  return avahi;
}

}  // namespace advertise_mdns
