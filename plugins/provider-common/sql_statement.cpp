// SPDX-License-Identifier: Apache-2.0
//
// Binding and fetching over Poco::Data. Worker threads, one statement and one session at a time. Must not know a
// dialect or a table.
#include "provider-common/sql_statement.h"

namespace provider_common {

using namespace Poco::Data::Keywords;

void bind_text(Poco::Data::Statement& statement, std::string_view value) { statement, bind(std::string(value)); }

void bind_int(Poco::Data::Statement& statement, std::int64_t value) { statement, bind(Poco::Int64{value}); }

void bind_value(Poco::Data::Statement& statement, const Column& column, const Json& value) {
  if (value.is_null()) {
    statement, bind(Poco::Nullable<std::string>());
  } else if (column.type == Type::kInt64) {
    bind_int(statement, value.get<std::int64_t>());
  } else if (column.type == Type::kText) {
    bind_text(statement, value.get_ref<const std::string&>());
  } else {
    bind_text(statement, value.dump());
  }
}

std::size_t run(Poco::Data::Session& session, const std::string& sql) {
  Poco::Data::Statement statement(session);
  statement << sql;
  return statement.execute();
}

std::optional<std::int64_t> query_int(Poco::Data::Session& session, const std::string& sql) {
  Poco::Nullable<Poco::Int64> value;
  Poco::Data::Statement statement(session);
  statement << sql, into(value), limit(1);
  if (statement.execute() == 0 || value.isNull()) return std::nullopt;
  return value.value();
}

RowReader::RowReader(const Collection& collection, Poco::Data::Statement& statement)
    : collection_(collection), statement_(statement), cells_(collection.columns.size()) {
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (collection.columns[i].type == Type::kInt64) {
      statement_, into(cells_[i].number);
    } else {
      statement_, into(cells_[i].text);
    }
  }
  statement_, limit(1);
}

bool RowReader::next() { return !statement_.done() && statement_.execute() > 0; }

Outcome<std::string> RowReader::record() const {
  std::string out = "{";
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const Column& column = collection_.columns[i];
    const Cell& cell = cells_[i];
    if (i > 0) out += ',';
    out += '"' + column.name + "\":";
    try {
      if (column.type == Type::kInt64) {
        out += cell.number.isNull() ? "null" : std::to_string(cell.number.value());
      } else if (cell.text.isNull()) {
        out += "null";
      } else if (column.type == Type::kJson && nlohmann::json::accept(cell.text.value())) {
        out += cell.text.value();
      } else {
        out += Json(cell.text.value()).dump();
      }
    } catch (const nlohmann::json::exception&) {
      return Failure{SP_E_INVALID, "column " + column.name + " of a record in " + collection_.table + " is not UTF-8",
                     0};
    }
  }
  out += '}';
  return out;
}

}  // namespace provider_common
