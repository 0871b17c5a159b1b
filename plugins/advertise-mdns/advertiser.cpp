// SPDX-License-Identifier: Apache-2.0
//
// Callbacks of libavahi-client. They run where the client is made and, once it is, on the library's own thread, one at
// a time; that thread starts after the first and has ended before anything is freed.
#include "advertiser.h"

namespace advertise_mdns {

using sallyport::Failure;
using sallyport::Outcome;

Outcome<void> Advertiser::start() {
  auto avahi = Avahi::load();
  if (!avahi) return avahi.failure();
  avahi_ = *avahi;
  poll_ = avahi_->threaded_poll_new();
  if (poll_ == nullptr) return Failure{SP_E_INTERNAL, "out of memory", 0};
  int error = 0;
  client_ = avahi_->client_new(avahi_->threaded_poll_get(poll_), 0, &on_client, this, &error);
  if (client_ == nullptr) {
    const Failure failure{SP_E_NOT_FOUND, std::string("Avahi: ") + avahi_->strerror(error), error};
    stop();
    return failure;
  }
  avahi_->threaded_poll_start(poll_);
  return {};
}

void Advertiser::stop() {
  if (poll_ != nullptr && client_ != nullptr) avahi_->threaded_poll_stop(poll_);
  if (client_ != nullptr) avahi_->client_free(client_);  // takes the advertisement back
  if (poll_ != nullptr) avahi_->threaded_poll_free(poll_);
  client_ = nullptr;
  group_ = nullptr;
  poll_ = nullptr;
}

void Advertiser::on_client(AvahiClient* client, ClientState state, void* context) {
  auto& self = *static_cast<Advertiser*>(context);
  switch (state) {
    case kClientRunning: return self.publish(client);
    case kClientRegistering:
    case kClientCollision:  // the machine gets another name: what was published has to be published again
      if (self.group_ != nullptr) self.avahi_->entry_group_reset(self.group_);
      return;
    case kClientFailure: return self.complain("the daemon is gone", self.avahi_->client_errno(client));
  }
}

void Advertiser::on_group(AvahiEntryGroup* group, GroupState state, void* context) {
  auto& self = *static_cast<Advertiser*>(context);
  self.group_ = group;
  if (state == kGroupEstablished) self.log_.info("\"" + self.settings_.name + "\" is advertised");
  if (state == kGroupFailure) self.complain("the daemon refused", self.avahi_->client_errno(self.client_));
  if (state != kGroupCollision) return;
  self.avahi_->entry_group_reset(group);
  self.rename();
  self.publish(self.client_);
}

void Advertiser::rename() {
  char* other = avahi_->alternative_service_name(settings_.name.c_str());
  if (other == nullptr) return;
  settings_.name = other;
  avahi_->free(other);
}

void Advertiser::publish(AvahiClient* client) {
  if (group_ == nullptr) group_ = avahi_->entry_group_new(client, &on_group, this);
  if (group_ == nullptr) return complain("no entry", avahi_->client_errno(client));
  std::vector<const char*> texts;
  for (const auto& text : settings_.text) texts.push_back(text.c_str());
  AvahiStringList* list = avahi_->string_list_new_from_array(texts.data(), static_cast<int>(texts.size()));
  int error = avahi_->entry_group_add_service_strlst(group_, kInterfaceAny, kProtocolAny, 0, settings_.name.c_str(),
                                                     settings_.type.c_str(), nullptr, nullptr, settings_.port, list);
  avahi_->string_list_free(list);
  if (error == 0) error = avahi_->entry_group_commit(group_);
  if (error != 0) complain("the daemon refused", error);
}

void Advertiser::complain(const std::string& what, int error) const {
  log_.warn("not advertised: " + what + ": " + avahi_->strerror(error));
}

}  // namespace advertise_mdns
