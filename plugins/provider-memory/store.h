// SPDX-License-Identifier: Apache-2.0
//
// Records by collection and key, in memory. Any thread; readers run side by side.
#pragma once

#include <map>
#include <sallyport/cpp/provider.hpp>
#include <set>
#include <shared_mutex>
#include <string>

#include "provider-common/schema.h"

namespace provider_memory {

using provider_common::Collection;
using provider_common::Json;
using provider_common::Schema;
using sallyport::Failure;
using sallyport::Outcome;

class Store {
 public:
  explicit Store(Schema schema);

  Outcome<void> get(std::string_view collection, std::string_view key, const sallyport::RecordSink& out) const;
  Outcome<void> put(std::string_view collection, std::string_view key, std::uint32_t mode,
                    std::string_view record_json);
  Outcome<void> remove(std::string_view collection, std::string_view key);
  Outcome<void> list(std::string_view query_json, const sallyport::RecordSink& out) const;
  Outcome<void> add(std::string_view collection, std::string_view key, std::span<const sp_delta> deltas);

  // Makes the dump's records the store's. Members that are not declared are left out, and their names returned;
  // counters start at 0; a later record replaces an earlier one of the same key. On failure nothing has changed.
  using Names = std::set<std::string>;
  Outcome<Names> replace_all(const Json& dump);

 private:
  using Records = std::map<std::string, Json, std::less<>>;
  struct Table {
    Records records;
    std::int64_t last_id = 0;
  };

  Outcome<void> load(const Collection& collection, const Json& list, Table& into, Names& left_out) const;
  void assign_ids(const Collection& collection, Json& record, Table& table) const;
  Outcome<void> check_unique(const Collection& collection, std::string_view key, const Json& record,
                             const Records& records) const;

  const Schema schema_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, Table, std::less<>> tables_;  // by collection; guarded by mutex_
};

}  // namespace provider_memory
