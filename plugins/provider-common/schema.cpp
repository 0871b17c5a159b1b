// SPDX-License-Identifier: Apache-2.0
//
// Reads declarations, records and queries strictly: what the host did not declare is refused here, so that stores can
// use names and types without further checks. Pure functions, any thread. Must not know any store.
#include "schema.h"

#include <algorithm>

namespace provider_common {
namespace {

Failure invalid(std::string text) { return {SP_E_INVALID, std::move(text), 0}; }

bool is_identifier(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  if (text.empty() || text.size() > 63 || !letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool fits(const Column& column, const Json& value) {
  if (value.is_null()) return column.nullable;
  switch (column.type) {
    case Type::kInt64: return value.is_number_integer();
    case Type::kText: return value.is_string();
    case Type::kJson: return true;
  }
  return false;
}

Outcome<Column> parse_column(const Json& json) {
  Column column;
  column.name = json.value("name", "");
  if (!is_identifier(column.name)) return invalid("bad column name \"" + column.name + "\" in the declaration");
  const std::string type = json.value("type", "");
  if (type == "int64") {
    column.type = Type::kInt64;
  } else if (type == "json") {
    column.type = Type::kJson;
  } else if (type != "text") {
    return invalid("column " + column.name + " has the unknown type \"" + type + "\"");
  }
  column.size = json.value("size", 0U);
  column.bits = json.value("bits", 64U);
  column.since = json.value("since", std::int64_t{1});
  column.nullable = json.value("nullable", false);
  column.unique = json.value("unique", false);
  column.automatic = json.value("auto", false);
  column.counter = json.value("counter", false);
  if (json.contains("default")) column.default_value = json.at("default");
  if (column.default_value && !fits(column, *column.default_value)) {
    return invalid("the default of column " + column.name + " has the wrong type");
  }
  if ((column.automatic || column.counter) && column.type != Type::kInt64) {
    return invalid("column " + column.name + " must be int64");
  }
  return column;
}

Outcome<Collection> parse_collection(const Json& json) {
  Collection collection;
  collection.name = json.value("name", "");
  collection.table = json.value("table", collection.name);
  collection.key = json.value("key", "");
  if (!is_identifier(collection.name)) return invalid("bad collection name \"" + collection.name + "\"");
  if (!is_identifier(collection.table)) {
    return invalid("bad table name \"" + collection.table + "\": only letters, digits and _ are allowed");
  }
  for (const auto& entry : json.value("columns", Json::array())) {
    auto column = parse_column(entry);
    if (!column) return column.failure();
    if (collection.find(column->name) != nullptr) return invalid("column " + column->name + " is declared twice");
    collection.columns.push_back(std::move(*column));
  }
  const Column* key = collection.find(collection.key);
  if (key == nullptr || key->type != Type::kText)
    return invalid("the key of " + collection.name + " is no text column");
  return collection;
}

Outcome<Json> parse_object(std::string_view text, const char* what) {
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return invalid(std::string(what) + " is not a JSON object");
  return json;
}

}  // namespace

const Column* Collection::find(std::string_view column) const {
  const auto it = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == column; });
  return it == columns.end() ? nullptr : &*it;
}

Outcome<const Collection*> Schema::find(std::string_view collection) const {
  for (const auto& candidate : collections) {
    if (candidate.name == collection) return &candidate;
  }
  return invalid("no collection \"" + std::string(collection) + "\" was declared");
}

Outcome<Schema> parse_schema(std::string_view collections_json) {
  auto json = parse_object(collections_json, "the declaration");
  if (!json) return json.failure();
  try {
    Schema schema;
    schema.version = json->value("version", std::int64_t{1});
    for (const auto& entry : json->value("collections", Json::array())) {
      auto collection = parse_collection(entry);
      if (!collection) return collection.failure();
      schema.collections.push_back(std::move(*collection));
    }
    return schema;
  } catch (const nlohmann::json::exception& e) {
    return invalid(std::string("bad declaration: ") + e.what());
  }
}

Outcome<Json> parse_record(const Collection& collection, std::string_view key, std::string_view record_json,
                           Purpose purpose) {
  auto json = parse_object(record_json, "the record");
  if (!json) return json;
  Json record = Json::object();
  for (const auto& [name, value] : json->items()) {
    const Column* column = collection.find(name);
    if (column == nullptr) return invalid("the record has the undeclared member \"" + name + "\"");
    if (!fits(*column, value)) return invalid("member \"" + name + "\" of the record has the wrong type");
    if (!column->automatic) record[name] = value;
  }
  if (record.contains(collection.key) && record.at(collection.key) != key) {
    return invalid("the record's " + collection.key + " differs from its key");
  }
  if (purpose == Purpose::kUpdate) {
    record.erase(collection.key);
    return record;
  }
  record[collection.key] = key;
  for (const auto& column : collection.columns) {
    if (column.automatic || record.contains(column.name)) continue;
    if (column.default_value) {
      record[column.name] = *column.default_value;
    } else if (column.nullable) {
      record[column.name] = nullptr;
    } else {
      return invalid("the record lacks \"" + column.name + "\"");
    }
  }
  return record;
}

Outcome<Query> parse_query(const Schema& schema, std::string_view query_json) {
  auto json = parse_object(query_json, "the query");
  if (!json) return json.failure();
  try {
    Query query;
    auto collection = schema.find(json->value("collection", ""));
    if (!collection) return collection.failure();
    query.collection = *collection;
    const std::string order = json->value("order", "asc");
    if (order != "asc" && order != "desc") return invalid("the order must be asc or desc");
    query.descending = order == "desc";
    query.limit = json->value("limit", std::int64_t{0});
    query.offset = json->value("offset", std::int64_t{0});
    if (query.limit < 0 || query.offset < 0) return invalid("limit and offset must not be negative");
    if (const auto after = json->find("after"); after != json->end()) query.after = after->get<std::string>();
    const Json where = json->value("where", Json::object());
    for (const auto& [name, value] : where.items()) {
      const Column* column = query.collection->find(name);
      if (column == nullptr || column->type == Type::kJson || !fits(*column, value)) {
        return invalid("no query by \"" + name + "\" with this value");
      }
      query.where.emplace_back(column, value);
    }
    return query;
  } catch (const nlohmann::json::exception& e) {
    return invalid(std::string("bad query: ") + e.what());
  }
}

Outcome<const Column*> find_counter(const Collection& collection, std::string_view name) {
  const Column* column = collection.find(name);
  if (column == nullptr || !column->counter) return invalid("\"" + std::string(name) + "\" is no counter");
  return column;
}

}  // namespace provider_common
