// SPDX-License-Identifier: Apache-2.0
//
// Checks made once per object, so that calls on it need none for required slots. Any thread; no state. Optional slots
// are looked at when they are called.
#include "host/plugin/slots.h"

#include <sallyport/auth.h>
#include <sallyport/notifier.h>
#include <sallyport/provider.h>
#include <sallyport/service.h>
#include <sallyport/storage.h>

#include <string>

namespace host::plugin {
namespace {

core::Error missing(const char* what) {
  return {core::Status::kInternal, std::string("the plugin made an object without ") + what};
}

}  // namespace

#define REQUIRE(type, object, slot) \
  if (!SP_HAS(type, (object)->ops, slot)) return missing("the required slot " #type "." #slot)
#define REQUIRE_TABLE(object, what)                                                 \
  if ((object) == nullptr) return missing("anything in it: NULL instead of " what); \
  if ((object)->ops == nullptr) return missing("a table: " what ".ops is NULL")

core::Result<void> check_slots(const sp_storage* storage) {
  REQUIRE_TABLE(storage, "sp_storage");
  REQUIRE(sp_storage_ops, storage, destroy);
  REQUIRE(sp_storage_ops, storage, mount);
  return core::ok();
}

core::Result<void> check_slots(const sp_fs* fs) {
  REQUIRE_TABLE(fs, "sp_fs");
  REQUIRE(sp_fs_ops, fs, unmount);
  REQUIRE(sp_fs_ops, fs, caps);
  REQUIRE(sp_fs_ops, fs, stat);
  REQUIRE(sp_fs_ops, fs, open);
  REQUIRE(sp_fs_ops, fs, open_dir);
  return core::ok();
}

core::Result<void> check_slots(const sp_file* file, bool reads, bool writes) {
  REQUIRE_TABLE(file, "sp_file");
  REQUIRE(sp_file_ops, file, close);
  REQUIRE(sp_file_ops, file, stat);
  if (reads) REQUIRE(sp_file_ops, file, read_at);
  if (writes) REQUIRE(sp_file_ops, file, write_at);
  return core::ok();
}

core::Result<void> check_slots(const sp_dir* dir) {
  REQUIRE_TABLE(dir, "sp_dir");
  REQUIRE(sp_dir_ops, dir, next);
  REQUIRE(sp_dir_ops, dir, close);
  return core::ok();
}

core::Result<void> check_slots(const sp_provider* provider) {
  REQUIRE_TABLE(provider, "sp_provider");
  REQUIRE(sp_provider_ops, provider, destroy);
  REQUIRE(sp_provider_ops, provider, prepare);
  REQUIRE(sp_provider_ops, provider, check);
  REQUIRE(sp_provider_ops, provider, get);
  REQUIRE(sp_provider_ops, provider, put);
  REQUIRE(sp_provider_ops, provider, remove);
  REQUIRE(sp_provider_ops, provider, list);
  REQUIRE(sp_provider_ops, provider, add);
  return core::ok();
}

core::Result<void> check_slots(const sp_service* service) {
  REQUIRE_TABLE(service, "sp_service");
  REQUIRE(sp_service_ops, service, destroy);
  REQUIRE(sp_service_ops, service, start);
  REQUIRE(sp_service_ops, service, stop);
  return core::ok();
}

core::Result<void> check_slots(const sp_authenticator* authenticator) {
  REQUIRE_TABLE(authenticator, "sp_authenticator");
  REQUIRE(sp_authenticator_ops, authenticator, destroy);
  REQUIRE(sp_authenticator_ops, authenticator, begin);
  return core::ok();
}

core::Result<void> check_slots(const sp_notifier* notifier) {
  REQUIRE_TABLE(notifier, "sp_notifier");
  REQUIRE(sp_notifier_ops, notifier, destroy);
  REQUIRE(sp_notifier_ops, notifier, wants);
  REQUIRE(sp_notifier_ops, notifier, notify);
  return core::ok();
}

#undef REQUIRE
#undef REQUIRE_TABLE

}  // namespace host::plugin
