// SPDX-License-Identifier: Apache-2.0
//
// The host's declarations (provider.h, prepare) as structs, and checks of records and queries against them. Shared by
// all providers; knows no store.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace provider_common {

using Json = nlohmann::ordered_json;
using sallyport::Failure;
using sallyport::Outcome;

enum class Type { kInt64, kText, kJson };

struct Column {
  std::string name;
  Type type = Type::kText;
  unsigned size = 0;   // text: characters, 0 unlimited
  unsigned bits = 64;  // int64: 32 when small numbers are enough
  std::int64_t since = 1;
  bool nullable = false, unique = false, automatic = false, counter = false;
  std::optional<Json> default_value;
};

struct Collection {
  std::string name, table, key;
  std::vector<Column> columns;

  const Column* find(std::string_view column) const;
};

struct Schema {
  std::int64_t version = 1;
  std::vector<Collection> collections;

  Outcome<const Collection*> find(std::string_view collection) const;
};

// Names become SQL identifiers, so only [A-Za-z_][A-Za-z0-9_]{0,62} passes.
Outcome<Schema> parse_schema(std::string_view collections_json);

enum class Purpose { kInsert, kUpdate };
// A record fit to be stored: only declared members, of the right types; `auto` columns are dropped (the store gives
// them). For an insert defaults are filled in, every column is there, and the key must equal `key`.
Outcome<Json> parse_record(const Collection& collection, std::string_view key, std::string_view record_json,
                           Purpose purpose);

struct Query {
  const Collection* collection = nullptr;
  bool descending = false;
  std::int64_t limit = 0;  // 0: all
  std::int64_t offset = 0;
  std::vector<std::pair<const Column*, Json>> where;
  std::optional<std::string> after;  // a key
};
Outcome<Query> parse_query(const Schema& schema, std::string_view query_json);

// The column must be a declared counter.
Outcome<const Column*> find_counter(const Collection& collection, std::string_view name);

}  // namespace provider_common
