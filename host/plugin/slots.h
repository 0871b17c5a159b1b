// SPDX-License-Identifier: Apache-2.0
//
// Which slots an object of a plugin must have before the host uses it. Private to this folder.
#pragma once

#include "host/core/result.h"

struct sp_storage;
struct sp_fs;
struct sp_file;
struct sp_dir;
struct sp_provider;
struct sp_service;
struct sp_authenticator;
struct sp_notifier;

namespace host::plugin {

// Each refuses a NULL object and names the first required slot that is missing.
core::Result<void> check_slots(const sp_storage* storage);
core::Result<void> check_slots(const sp_fs* fs);
core::Result<void> check_slots(const sp_file* file, bool reads, bool writes);
core::Result<void> check_slots(const sp_dir* dir);
core::Result<void> check_slots(const sp_provider* provider);
core::Result<void> check_slots(const sp_service* service);
core::Result<void> check_slots(const sp_authenticator* authenticator);
core::Result<void> check_slots(const sp_notifier* notifier);

}  // namespace host::plugin
