// SPDX-License-Identifier: Apache-2.0
//
// The records of the memory provider. Worker threads; one lock, held for look-ups and copies only, never while the host
// is called. Must not know files.
#include "store.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <mutex>
#include <vector>

namespace provider_memory {
namespace {

using provider_common::Purpose;

Failure no_record(const Collection& collection, std::string_view key) {
  return {SP_E_NOT_FOUND, collection.key + " " + std::string(key) + " does not exist", 0};
}

bool matches(const provider_common::Query& query, const Json& record) {
  return std::all_of(query.where.begin(), query.where.end(),
                     [&](const auto& term) { return record.at(term.first->name) == term.second; });
}

}  // namespace

Store::Store(Schema schema) : schema_(std::move(schema)) {
  for (const auto& collection : schema_.collections) tables_[collection.name];
}

Outcome<void> Store::get(std::string_view collection, std::string_view key, const sallyport::RecordSink& out) const {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  std::string text;
  {
    const std::shared_lock lock(mutex_);
    const auto& records = tables_.find(collection)->second.records;
    const auto it = records.find(key);
    if (it == records.end()) return no_record(**found, key);
    text = it->second.dump();
  }
  return out.add(text);
}

void Store::assign_ids(const Collection& collection, Json& record, Table& table) const {
  for (const auto& column : collection.columns) {
    if (column.automatic) record[column.name] = ++table.last_id;
  }
}

Outcome<void> Store::check_unique(const Collection& collection, std::string_view key, const Json& record,
                                  const Records& records) const {
  for (const auto& column : collection.columns) {
    if (!column.unique || column.name == collection.key || !record.contains(column.name)) continue;
    const auto& wanted = record.at(column.name);
    if (wanted.is_null()) continue;
    for (const auto& [other, existing] : records) {
      if (other != key && existing.at(column.name) == wanted) {
        return Failure{SP_E_EXISTS, column.name + " " + wanted.dump() + " already exists", 0};
      }
    }
  }
  return {};
}

Outcome<void> Store::put(std::string_view collection, std::string_view key, std::uint32_t mode,
                         std::string_view record_json) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  if (mode != SP_PUT_INSERT && mode != SP_PUT_UPDATE) return Failure{SP_E_INVALID, "unknown put mode", 0};
  const auto purpose = mode == SP_PUT_INSERT ? Purpose::kInsert : Purpose::kUpdate;
  auto record = provider_common::parse_record(**found, key, record_json, purpose);
  if (!record) return record.failure();
  const std::unique_lock lock(mutex_);
  auto& table = tables_.find(collection)->second;
  const auto it = table.records.find(key);
  if (purpose == Purpose::kInsert && it != table.records.end()) {
    return Failure{SP_E_EXISTS, (*found)->key + " " + std::string(key) + " already exists", 0};
  }
  if (purpose == Purpose::kUpdate && it == table.records.end()) return no_record(**found, key);
  if (auto unique = check_unique(**found, key, *record, table.records); !unique) return unique;
  if (purpose == Purpose::kUpdate) {
    it->second.update(*record);
  } else {
    assign_ids(**found, *record, table);
    table.records.emplace(std::string(key), std::move(*record));
  }
  return {};
}

Outcome<void> Store::remove(std::string_view collection, std::string_view key) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  const std::unique_lock lock(mutex_);
  auto& records = tables_.find(collection)->second.records;
  const auto it = records.find(key);
  if (it == records.end()) return no_record(**found, key);
  records.erase(it);
  return {};
}

Outcome<void> Store::list(std::string_view query_json, const sallyport::RecordSink& out) const {
  auto query = provider_common::parse_query(schema_, query_json);
  if (!query) return query.failure();
  std::vector<std::string> texts;
  {
    const std::shared_lock lock(mutex_);
    const auto& records = tables_.find(query->collection->name)->second.records;
    auto skip = query->offset;
    const auto take = [&](const Json& record) {
      if (!matches(*query, record)) return true;
      if (skip > 0) return --skip, true;
      texts.push_back(record.dump());
      return query->limit == 0 || static_cast<std::int64_t>(texts.size()) < query->limit;
    };
    if (query->descending) {
      auto it = query->after ? std::make_reverse_iterator(records.lower_bound(*query->after)) : records.rbegin();
      for (; it != records.rend() && take(it->second); ++it) {}
    } else {
      auto it = query->after ? records.upper_bound(*query->after) : records.begin();
      for (; it != records.end() && take(it->second); ++it) {}
    }
  }
  for (const auto& text : texts) {
    if (auto added = out.add(text); !added) return added;
  }
  return {};
}

Outcome<void> Store::add(std::string_view collection, std::string_view key, std::span<const sp_delta> deltas) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  const std::unique_lock lock(mutex_);
  auto& records = tables_.find(collection)->second.records;
  const auto it = records.find(key);
  if (it == records.end()) return no_record(**found, key);
  Json changed = it->second;
  for (const auto& delta : deltas) {
    auto counter = provider_common::find_counter(**found, sallyport::view(delta.counter));
    if (!counter) return counter.failure();
    auto& value = changed.at((*counter)->name);
    std::int64_t sum = 0;
    if (__builtin_add_overflow(value.get<std::int64_t>(), delta.amount, &sum)) {
      return Failure{SP_E_INVALID, "counter " + (*counter)->name + " would overflow", 0};
    }
    value = sum;
  }
  it->second = std::move(changed);
  return {};
}

Outcome<void> Store::load(const Collection& collection, const Json& list, Table& into, Names& left_out) const {
  std::size_t number = 0;
  for (const auto& entry : list) {
    std::string where = collection.name + " entry " + std::to_string(++number);
    if (!entry.is_object() || !entry.contains(collection.key) || !entry.at(collection.key).is_string()) {
      return Failure{SP_E_INVALID, where + ": no object with a \"" + collection.key + "\"", 0};
    }
    const auto& key = entry.at(collection.key).get_ref<const std::string&>();
    where += " (" + key + "): ";
    Json record = Json::object();
    for (const auto& [name, value] : entry.items()) {
      const auto* column = collection.find(name);
      if (column == nullptr) {
        left_out.insert(name);
      } else if (!column->counter) {
        record[name] = value;
      }
    }
    auto checked = provider_common::parse_record(collection, key, record.dump(), Purpose::kInsert);
    if (!checked) return Failure{SP_E_INVALID, where + checked.failure().message, 0};
    if (auto unique = check_unique(collection, key, *checked, into.records); !unique) return unique;
    assign_ids(collection, *checked, into);
    into.records.insert_or_assign(key, std::move(*checked));
  }
  return {};
}

Outcome<Store::Names> Store::replace_all(const Json& dump) {
  if (!dump.is_object()) return Failure{SP_E_INVALID, "not a JSON object", 0};
  const bool holds_any = std::any_of(schema_.collections.begin(), schema_.collections.end(),
                                     [&](const auto& collection) { return dump.contains(collection.name); });
  // Mistyped, and nobody could log in any more.
  if (!holds_any) return Failure{SP_E_INVALID, "holds no \"" + schema_.collections.front().name + "\"", 0};
  Names left_out;
  std::map<std::string, Table, std::less<>> tables;
  for (const auto& collection : schema_.collections) {
    auto& table = tables[collection.name];
    if (!dump.contains(collection.name)) continue;
    const auto& list = dump.at(collection.name);
    if (list.is_null()) continue;  // so a dump of the replaced system says that there is nobody
    if (!list.is_array()) return Failure{SP_E_INVALID, "\"" + collection.name + "\" is not a list", 0};
    if (auto loaded = load(collection, list, table, left_out); !loaded) return loaded.failure();
  }
  const std::unique_lock lock(mutex_);
  tables_ = std::move(tables);
  return left_out;
}

}  // namespace provider_memory
