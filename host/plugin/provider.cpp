// SPDX-License-Identifier: Apache-2.0
//
// The data provider behind its C table. Runs on workers, prepare at start-up. Records pass through as texts: what they
// mean is the business of host/users.
#include "host/plugin/provider.h"

#include <sallyport/provider.h>

#include "host/core/limits.h"
#include "host/plugin/error.h"

namespace host::plugin {

using core::Result;
using core::Status;

namespace {

// Keeps the one record that get delivers.
struct OneRecord {
  std::string text;
  bool delivered = false;

  static sp_status SP_CALL add(void* self, sp_str record) noexcept {
    auto& one = *static_cast<OneRecord*>(self);
    if (record.len > core::limits::kMaxUserRecordBytes) return SP_E_INVALID;
    try {
      one.text = to_view(record);
    } catch (...) {
      return SP_E_INTERNAL;
    }
    one.delivered = true;
    return SP_OK;
  }
};

// Hands records on and keeps the caller's own reason to stop.
struct TakeRecords {
  const Provider::Take* take;
  Result<void> outcome;

  static sp_status SP_CALL add(void* self, sp_str record) noexcept {
    auto& all = *static_cast<TakeRecords*>(self);
    try {
      all.outcome = (*all.take)(to_view(record));
    } catch (...) {
      return SP_E_INTERNAL;
    }
    return all.outcome ? SP_OK : static_cast<sp_status>(all.outcome.error().status);
  }
};

}  // namespace

Provider::~Provider() { provider_->ops->destroy(provider_); }

Result<bool> Provider::prepare(const std::string& collections_json, Prepare mode) {
  ErrorSlot error;
  std::uint32_t changed = 0;
  const auto raw_mode = mode == Prepare::kCreate ? SP_PREPARE_CREATE
                        : mode == Prepare::kLook ? SP_PREPARE_LOOK
                                                 : SP_PREPARE_OPEN;
  const auto status =
      provider_->ops->prepare(provider_, to_c(std::string_view(collections_json)), raw_mode, &changed, error.out());
  if (status != SP_OK) return to_error(status, error, name_);
  return changed != 0;
}

Result<void> Provider::check() {
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  return to_result(provider_->ops->check(provider_, &op, error.out()), error);
}

Result<std::string> Provider::get(std::string_view collection, std::string_view key) {
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  OneRecord record;
  const sp_record_sink sink{&record, &OneRecord::add};
  const auto status = provider_->ops->get(provider_, &op, to_c(collection), to_c(key), &sink, error.out());
  if (status != SP_OK) return to_error(status, error);
  if (!record.delivered) return core::Error(Status::kInternal, name_ + ": success without a record");
  return std::move(record.text);
}

Result<void> Provider::put(std::string_view collection, std::string_view key, Put mode, std::string_view record_json) {
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  const auto raw_mode = mode == Put::kInsert ? SP_PUT_INSERT : SP_PUT_UPDATE;
  const auto status =
      provider_->ops->put(provider_, &op, to_c(collection), to_c(key), raw_mode, to_c(record_json), error.out());
  return to_result(status, error);
}

Result<void> Provider::remove(std::string_view collection, std::string_view key) {
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  return to_result(provider_->ops->remove(provider_, &op, to_c(collection), to_c(key), error.out()), error);
}

Result<void> Provider::list(std::string_view query_json, const Take& take) {
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  TakeRecords records{&take, core::ok()};
  const sp_record_sink sink{&records, &TakeRecords::add};
  const auto status = provider_->ops->list(provider_, &op, to_c(query_json), &sink, error.out());
  if (!records.outcome) return records.outcome;
  return to_result(status, error);
}

Result<void> Provider::add(std::string_view collection, std::string_view key, const std::vector<Delta>& deltas) {
  const sp_op op = to_c(Op{});
  ErrorSlot error;
  std::vector<sp_delta> raw;
  raw.reserve(deltas.size());
  for (const auto& [counter, amount] : deltas) raw.push_back({to_c(counter), amount});
  const auto status =
      provider_->ops->add(provider_, &op, to_c(collection), to_c(key), raw.data(), raw.size(), error.out());
  return to_result(status, error);
}

Result<void> Provider::reload() {
  if (!SP_HAS(sp_provider_ops, provider_->ops, reload)) return core::Error(Status::kUnsupported, "nothing to reload");
  ErrorSlot error;
  return to_result(provider_->ops->reload(provider_, error.out()), error);
}

}  // namespace host::plugin
