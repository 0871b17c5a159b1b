// SPDX-License-Identifier: Apache-2.0
//
// The ten calls of a provider as SQL. Everything after prepare runs on worker threads, several at once, each on a
// connection of its own. Poco's exceptions end here. Must not know users or one database's dialect.
#include "provider-common/sql_provider.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "provider-common/sql_schema.h"
#include "provider-common/sql_statement.h"

namespace provider_common {
namespace {

constexpr auto kConnectionWait = std::chrono::seconds(10);  // when the operation has no deadline of its own

using Clock = std::chrono::steady_clock;

Clock::time_point wait_until(const sp_op& op) {
  const auto longest = Clock::now() + kConnectionWait;
  if (op.deadline_ns == 0) return longest;
  return std::min(longest, Clock::time_point(std::chrono::nanoseconds(op.deadline_ns)));
}

Failure no_record(const Collection& collection, std::string_view key) {
  return {SP_E_NOT_FOUND, collection.key + " " + std::string(key) + " does not exist", 0};
}

std::optional<Dialect::Opening> opening_of(std::uint32_t mode) {
  switch (mode) {
    case SP_PREPARE_OPEN: return Dialect::Opening::kOpen;
    case SP_PREPARE_CREATE: return Dialect::Opening::kCreate;
    case SP_PREPARE_LOOK: return Dialect::Opening::kLook;
    default: return std::nullopt;
  }
}

}  // namespace

SqlProvider::SqlProvider(std::unique_ptr<Dialect> dialect, int connections)
    : dialect_(std::move(dialect)), connections_(std::clamp(connections, 1, kMaxConnections)), free_(connections_) {}

SqlProvider::~SqlProvider() = default;

template <class Work>
Outcome<void> SqlProvider::with_session(const sp_op& op, Work&& work) {
  if (pool_ == nullptr) return Failure{SP_E_INVALID, "prepare was not called", 0};
  if (!free_.try_acquire_until(wait_until(op))) {
    return Failure{SP_E_BUSY,
                   "all " + std::to_string(connections_) + " connections to " + dialect_->store_name() + " are in use",
                   0};
  }
  struct Release {
    std::counting_semaphore<kMaxConnections>& free;
    ~Release() { free.release(); }
  } release{free_};
  try {
    dialect_->look();
    Poco::Data::Session session = pool_->get();
    return work(session);
  } catch (const Poco::Exception& e) {
    return dialect_->explain(e);
  }
}

template <class Work>
Outcome<void> SqlProvider::with_session_to_write(const sp_op& op, Work&& work) {
  if (auto there = dialect_->still_there(); !there) return there;
  return with_session(op, std::forward<Work>(work));
}

Outcome<bool> SqlProvider::prepare(std::string_view collections_json, std::uint32_t mode) {
  const auto opening = opening_of(mode);
  if (!opening) return Failure{SP_E_INVALID, "unknown prepare mode", 0};
  auto schema = parse_schema(collections_json);
  if (!schema) return schema.failure();
  schema_ = std::move(*schema);
  for (const auto& collection : schema_.collections)
    select_one_[&collection] = select(collection) + where_key(collection);
  auto made = dialect_->before_open(*opening);
  if (!made) return made;
  auto changed = prepare_tables(*opening);
  if (!changed && *made) {
    pool_.reset();
    dialect_->undo_create();
  }
  return changed;
}

Outcome<bool> SqlProvider::prepare_tables(Dialect::Opening opening) {
  bool changed = false;
  try {
    pool_ = dialect_->make_pool(connections_, opening);
  } catch (const Poco::Exception& e) {
    return dialect_->explain(e);
  }
  auto done = with_session(sp_op{}, [&](Poco::Data::Session& session) -> Outcome<void> {
    auto outcome = opening == Dialect::Opening::kCreate ? create_tables(session, *dialect_, schema_)
                   : opening == Dialect::Opening::kLook ? look_at_tables(session, *dialect_, schema_)
                                                        : open_tables(session, *dialect_, schema_);
    if (!outcome) return outcome.failure();
    changed = *outcome;
    return {};
  });
  if (!done) return done.failure();
  return changed;
}

std::string SqlProvider::select(const Collection& collection) const {
  std::string sql = "SELECT ";
  for (const auto& column : collection.columns) {
    if (&column != &collection.columns.front()) sql += ", ";
    sql += dialect_->quote(column.name);
  }
  return sql + " FROM " + dialect_->quote(collection.table);
}

std::string SqlProvider::where_key(const Collection& collection) const {
  return " WHERE " + dialect_->quote(collection.key) + " = ?";
}

Outcome<void> SqlProvider::check(const sp_op& op) {
  if (auto there = dialect_->still_there(); !there) return there;
  return with_session(op, [this](Poco::Data::Session& session) -> Outcome<void> {
    // A question about nothing would not make every database look at what it has.
    for (const auto& collection : schema_.collections) {
      query_int(session, "SELECT 1 FROM " + dialect_->quote(collection.table) + " LIMIT 1");
    }
    return {};
  });
}

Outcome<void> SqlProvider::get(const sp_op& op, std::string_view collection, std::string_view key,
                               const sallyport::RecordSink& out) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  return with_session(op, [&](Poco::Data::Session& session) -> Outcome<void> {
    Poco::Data::Statement statement(session);
    statement << select_one_.at(*found);
    bind_text(statement, key);
    RowReader rows(**found, statement);
    if (!rows.next()) return no_record(**found, key);
    auto record = rows.record();
    if (!record) return record.failure();
    return out.add(*record);
  });
}

Outcome<void> SqlProvider::put(const sp_op& op, std::string_view collection, std::string_view key, std::uint32_t mode,
                               std::string_view record_json) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  if (mode != SP_PUT_INSERT && mode != SP_PUT_UPDATE) return Failure{SP_E_INVALID, "unknown put mode", 0};
  const auto purpose = mode == SP_PUT_INSERT ? Purpose::kInsert : Purpose::kUpdate;
  auto record = parse_record(**found, key, record_json, purpose);
  if (!record) return record.failure();
  return purpose == Purpose::kInsert ? insert(op, **found, *record) : update(op, **found, key, *record);
}

Outcome<void> SqlProvider::insert(const sp_op& op, const Collection& collection, const Json& record) {
  std::string names, marks;
  for (const auto& [name, value] : record.items()) {
    names += (names.empty() ? "" : ", ") + dialect_->quote(name);
    marks += marks.empty() ? "?" : ", ?";
  }
  return with_session_to_write(op, [&](Poco::Data::Session& session) -> Outcome<void> {
    Poco::Data::Statement statement(session);
    statement << "INSERT INTO " << dialect_->quote(collection.table) << " (" << names << ") VALUES (" << marks << ")";
    for (const auto& [name, value] : record.items()) bind_value(statement, *collection.find(name), value);
    statement.execute();
    return {};
  });
}

Outcome<void> SqlProvider::update(const sp_op& op, const Collection& collection, std::string_view key,
                                  const Json& record) {
  std::string sets;
  for (const auto& [name, value] : record.items()) sets += (sets.empty() ? "" : ", ") + dialect_->quote(name) + " = ?";
  // Nothing to set still has to tell whether the record is there.
  if (sets.empty()) sets = dialect_->quote(collection.key) + " = " + dialect_->quote(collection.key);
  return with_session_to_write(op, [&](Poco::Data::Session& session) -> Outcome<void> {
    Poco::Data::Statement statement(session);
    statement << "UPDATE " << dialect_->quote(collection.table) << " SET " << sets << where_key(collection);
    for (const auto& [name, value] : record.items()) bind_value(statement, *collection.find(name), value);
    bind_text(statement, key);
    if (statement.execute() == 0) return no_record(collection, key);
    return {};
  });
}

Outcome<void> SqlProvider::remove(const sp_op& op, std::string_view collection, std::string_view key) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  return with_session_to_write(op, [&](Poco::Data::Session& session) -> Outcome<void> {
    Poco::Data::Statement statement(session);
    statement << "DELETE FROM " << dialect_->quote((*found)->table) << where_key(**found);
    bind_text(statement, key);
    if (statement.execute() == 0) return no_record(**found, key);
    return {};
  });
}

Outcome<void> SqlProvider::list(const sp_op& op, std::string_view query_json, const sallyport::RecordSink& out) {
  auto query = parse_query(schema_, query_json);
  if (!query) return query.failure();
  const Collection& collection = *query->collection;
  std::string sql = select(collection);
  for (const auto& [column, value] : query->where) {
    sql += (&column == &query->where.front().first ? " WHERE " : " AND ") + dialect_->quote(column->name) +
           (value.is_null() ? " IS NULL" : " = ?");
  }
  if (query->after) {
    sql += (query->where.empty() ? " WHERE " : " AND ") + dialect_->quote(collection.key) +
           (query->descending ? " < ?" : " > ?");
  }
  sql += " ORDER BY " + dialect_->quote(collection.key) + (query->descending ? " DESC" : " ASC") + " LIMIT ? OFFSET ?";
  return with_session(op, [&](Poco::Data::Session& session) -> Outcome<void> {
    Poco::Data::Statement statement(session);
    statement << sql;
    for (const auto& [column, value] : query->where) {
      if (!value.is_null()) bind_value(statement, *column, value);
    }
    if (query->after) bind_text(statement, *query->after);
    bind_int(statement, query->limit > 0 ? query->limit : std::numeric_limits<std::int64_t>::max());
    bind_int(statement, query->offset);
    RowReader rows(collection, statement);
    while (rows.next()) {
      auto record = rows.record();
      if (!record) return record.failure();
      if (auto added = out.add(*record); !added) return added;
    }
    return {};
  });
}

Outcome<void> SqlProvider::add(const sp_op& op, std::string_view collection, std::string_view key,
                               std::span<const sp_delta> deltas) {
  auto found = schema_.find(collection);
  if (!found) return found.failure();
  if (deltas.empty()) return {};
  std::string sets;
  for (const auto& delta : deltas) {
    auto counter = find_counter(**found, sallyport::view(delta.counter));
    if (!counter) return counter.failure();
    const auto name = dialect_->quote((*counter)->name);
    sets += (sets.empty() ? "" : ", ") + name + " = " + name + " + ?";
  }
  return with_session_to_write(op, [&](Poco::Data::Session& session) -> Outcome<void> {
    Poco::Data::Statement statement(session);
    statement << "UPDATE " << dialect_->quote((*found)->table) << " SET " << sets << where_key(**found);
    for (const auto& delta : deltas) bind_int(statement, delta.amount);
    bind_text(statement, key);
    if (statement.execute() == 0) return no_record(**found, key);
    return {};
  });
}

}  // namespace provider_common
