// SPDX-License-Identifier: Apache-2.0
//
// Table creation and migration by the host's declarations: a column names the schema version that brought it, and the
// table schema_version holds the version of the store in its only row. Runs on the thread that starts the host.
// Must not know users.
#include "provider-common/sql_schema.h"

#include <algorithm>

#include "provider-common/sql_statement.h"

namespace provider_common {
namespace {

using Poco::Data::Session;
using Relation = Dialect::Relation;

constexpr std::string_view kVersionTable = "schema_version";

// Rolls back unless committed.
class Transaction {
 public:
  Transaction(Session& session, const Dialect& dialect) : session_(session) { run(session_, dialect.begin_write()); }
  ~Transaction() {
    if (committed_) return;
    try {
      run(session_, "ROLLBACK");
    } catch (const Poco::Exception&) {
      // The database ended the transaction itself; the error that brought us here is the one to report.
      committed_ = true;
    }
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    run(session_, "COMMIT");
    committed_ = true;
  }

 private:
  Session& session_;
  bool committed_ = false;
};

std::optional<std::int64_t> stored_version(Session& session, const Dialect& dialect) {
  return query_int(session, "SELECT version FROM " + dialect.quote(kVersionTable));
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Failure not_initialised(const Dialect& dialect, std::string_view table) {
  return {SP_E_NOT_FOUND,
          dialect.store_name() + " has no table " + std::string(table) + ": run `sallyport initprovider` to create it",
          0};
}

Outcome<void> migrate(Session& session, const Dialect& dialect, const Schema& schema) {
  Transaction transaction(session, dialect);
  const auto version = stored_version(session, dialect);
  if (version && *version >= schema.version) return {};  // another host was quicker
  for (const auto& collection : schema.collections) {
    if (dialect.relation(session, collection.table) != Relation::kTable) continue;
    const auto present = dialect.columns_of(session, collection.table);
    for (const auto& column : collection.columns) {
      if (column.since <= version.value_or(1) || has(present, column.name)) continue;
      run(session, "ALTER TABLE " + dialect.quote(collection.table) + " ADD COLUMN " + dialect.quote(column.name) +
                       " " + dialect.definition(column));
    }
  }
  run(session, "UPDATE " + dialect.quote(kVersionTable) + " SET version = " + std::to_string(schema.version));
  transaction.commit();
  return {};
}

// `version` is that of the store: a migration brings the columns of later ones.
Outcome<void> check_columns(Session& session, const Dialect& dialect, const Schema& schema, std::int64_t version) {
  for (const auto& collection : schema.collections) {
    const auto present = dialect.columns_of(session, collection.table);
    const bool migrates = dialect.relation(session, collection.table) == Relation::kTable;
    for (const auto& column : collection.columns) {
      if (has(present, column.name) || (migrates && column.since > version)) continue;
      return Failure{SP_E_INVALID,
                     "table " + collection.table + " of " + dialect.store_name() + " lacks the column " + column.name,
                     0};
    }
  }
  return {};
}

void create_table(Session& session, const Dialect& dialect, const Collection& collection) {
  std::string sql = "CREATE TABLE " + dialect.quote(collection.table) + " (";
  for (const auto& column : collection.columns) {
    if (sql.back() != '(') sql += ", ";
    sql += dialect.quote(column.name) + " " + dialect.definition(column);
  }
  run(session, sql + ")");
}

// The version of a store that open_tables would migrate, else that of the schema.
Outcome<std::int64_t> version_of(Session& session, const Dialect& dialect, const Schema& schema) {
  bool only_views = true;
  for (const auto& collection : schema.collections) {
    const auto relation = dialect.relation(session, collection.table);
    if (relation == Relation::kNone) return not_initialised(dialect, collection.table);
    if (relation == Relation::kTable) only_views = false;
  }
  if (only_views) return schema.version;
  if (dialect.relation(session, std::string(kVersionTable)) == Relation::kNone) {
    return not_initialised(dialect, kVersionTable);
  }
  const auto version = stored_version(session, dialect);
  if (!version) {
    return Failure{SP_E_INVALID, "table schema_version of " + dialect.store_name() + " is empty: it needs one row", 0};
  }
  return std::min(*version, schema.version);
}

}  // namespace

Outcome<bool> open_tables(Session& session, const Dialect& dialect, const Schema& schema) {
  auto version = version_of(session, dialect, schema);
  if (!version) return version.failure();
  const bool old = *version < schema.version;
  if (old) {
    if (auto done = migrate(session, dialect, schema); !done) return done.failure();
  }
  if (auto checked = check_columns(session, dialect, schema, schema.version); !checked) return checked.failure();
  return old;
}

Outcome<bool> look_at_tables(Session& session, const Dialect& dialect, const Schema& schema) {
  auto version = version_of(session, dialect, schema);
  if (!version) return version.failure();
  if (auto checked = check_columns(session, dialect, schema, *version); !checked) return checked.failure();
  return *version < schema.version;
}

Outcome<bool> create_tables(Session& session, const Dialect& dialect, const Schema& schema) {
  Transaction transaction(session, dialect);
  bool created = false, found = false;
  for (const auto& collection : schema.collections) {
    if (dialect.relation(session, collection.table) != Relation::kNone) {
      found = true;
      continue;
    }
    create_table(session, dialect, collection);
    created = true;
  }
  if (dialect.relation(session, std::string(kVersionTable)) == Relation::kNone) {
    Column id, version;
    id.name = "id";
    id.type = version.type = Type::kInt64;
    id.automatic = true;
    version.name = "version";
    version.bits = 32;
    create_table(session, dialect, {"", std::string(kVersionTable), "id", {id, version}});
    // Tables that were there without a version count as the oldest: opening adds what they lack.
    run(session, "INSERT INTO " + dialect.quote(kVersionTable) + " (version) VALUES (" +
                     std::to_string(found ? 1 : schema.version) + ")");
    created = true;
  }
  transaction.commit();
  return created;
}

}  // namespace provider_common
