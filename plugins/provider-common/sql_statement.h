// SPDX-License-Identifier: Apache-2.0
//
// Small wrappers over Poco statements: values are bound, rows become JSON records. Throws Poco exceptions; the caller
// is sql_provider.cpp, which turns them into failures.
#pragma once

#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>
#include <Poco/Nullable.h>
#include <Poco/Types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "provider-common/schema.h"

namespace provider_common {

// Binds a value in the way its column stores it.
void bind_value(Poco::Data::Statement& statement, const Column& column, const Json& value);
void bind_text(Poco::Data::Statement& statement, std::string_view value);
void bind_int(Poco::Data::Statement& statement, std::int64_t value);

// Runs a statement without parameters; the number of rows it changed.
std::size_t run(Poco::Data::Session& session, const std::string& sql);
std::optional<std::int64_t> query_int(Poco::Data::Session& session, const std::string& sql);

// Fetches rows of a SELECT over all columns of a collection, in their order. The statement must not outlive it.
class RowReader {
 public:
  RowReader(const Collection& collection, Poco::Data::Statement& statement);
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  bool next();  // false at the end
  // The row as a JSON object. A json column whose text does not parse is delivered as a JSON string.
  Outcome<std::string> record() const;

 private:
  struct Cell {
    Poco::Nullable<Poco::Int64> number;
    Poco::Nullable<std::string> text;
  };
  const Collection& collection_;
  Poco::Data::Statement& statement_;
  std::vector<Cell> cells_;  // addresses are bound into the statement: never resized
};

}  // namespace provider_common
