// SPDX-License-Identifier: Apache-2.0
//
// SQLite under Poco::Data: how to connect, what types and system tables are called, what its errors mean. Connections
// are made on whichever thread needs one. Must not know collections or users.
#include "sqlite_dialect.h"

#include <Poco/Data/DataException.h>
#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/SQLiteException.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <string_view>

#include "provider-common/sql_statement.h"

namespace provider_sqlite {
namespace {

using Poco::Data::Session;
using provider_common::Type;
namespace sqlite = Poco::Data::SQLite;

constexpr auto kOtherFile =
    "another file has its name than when it was opened; put that one back, or restart the server with the right one";
constexpr auto kNoFile = "its file was deleted or moved away; put it back, or restart the server with the right one";
constexpr int kIdleSeconds = 60;  // an unused connection is closed after it

// mode=rw: SQLite itself must never create a file, it would be readable for everybody.
std::string file_uri(const std::string& path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '-' || c == '_';
    if (plain) {
      uri += c;
    } else {
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return uri + "?mode=rw";
}

// For who only looks: a URI that asks for a new file where there is none no longer does.
std::string without_create(std::string uri) {
  constexpr std::string_view kCreate = "mode=rwc";
  for (auto at = uri.find('?'); (at = uri.find(kCreate, at)) != std::string::npos; at += kCreate.size()) {
    const auto end = at + kCreate.size();
    const bool whole = end == uri.size() || uri[end] == '&' || uri[end] == '#';
    if (whole && (uri[at - 1] == '?' || uri[at - 1] == '&')) return uri.erase(end - 1, 1);
  }
  return uri;
}

class Pool final : public Poco::Data::SessionPool {
 public:
  // `path`: of the one file that all of it is about, if it is known.
  Pool(const std::string& uri, int sessions, std::string path, int busy_timeout_ms, bool only_look)
      : SessionPool(sqlite::Connector::KEY, uri, 1, sessions, kIdleSeconds),
        path_(std::move(path)),
        file_(path_.empty() ? std::nullopt : file_id(path_)),
        busy_timeout_ms_(busy_timeout_ms),
        only_look_(only_look) {}

 private:
  void customizeSession(Session& session) override {
    using provider_common::run;
    // Before it reads anything: a log of changes that belongs to the file that was there would damage another one.
    if (file_ && file_id(path_) != file_) throw Poco::Data::DataException(kOtherFile);
    run(session, "PRAGMA busy_timeout = " + std::to_string(busy_timeout_ms_));
    if (only_look_) {
      run(session, "PRAGMA query_only = ON");
      return;
    }
    run(session, "PRAGMA journal_mode = WAL");
    run(session, "PRAGMA synchronous = NORMAL");
    run(session, "PRAGMA foreign_keys = ON");
  }
  const std::string path_;
  const std::optional<FileId> file_;
  const int busy_timeout_ms_;
  const bool only_look_;
};

// "a: a" is "a": Poco puts the meaning of an error's code before its text, which often is the same.
std::string without_echo(const std::string& text) {
  constexpr std::string_view kBetween = ": ";
  const auto half = (text.size() - std::min(text.size(), kBetween.size())) / 2;
  const auto first = text.substr(0, half);
  return half > 0 && text == first + std::string(kBetween) + first ? first : text;
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

std::string SqliteDialect::store_name() const {
  return "database " + (settings_.connection_string.empty() ? settings_.name : settings_.connection_string);
}

Outcome<bool> SqliteDialect::before_open(Opening opening) {
  if (!settings_.connection_string.empty()) return check_uri(opening);
  auto made = prepare_file(settings_.name, opening == Opening::kCreate);
  if (made && !*made && is_world_readable(settings_.name)) {
    log_.warn(store_name() + " holds password hashes and is readable for everybody: chmod 600 is advised");
  }
  return made;
}

// Poco tries again for a minute, in vain, and whoever ends its pool meanwhile waits for ever.
Outcome<bool> SqliteDialect::check_uri(Opening opening) const {
  const bool look = opening == Opening::kLook;
  const auto uri = look ? without_create(settings_.connection_string) : settings_.connection_string;
  const int create = look ? 0 : SQLITE_OPEN_CREATE;
  sqlite3* database = nullptr;
  const int code = sqlite3_open_v2(uri.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | create, nullptr);
  sqlite3_close(database);
  if (code == SQLITE_OK) return false;
  const char* advice = look && code == SQLITE_CANTOPEN ? "run `sallyport initprovider` to create it, or set name"
                                                       : "or leave it empty and set name";
  return Failure{SP_E_IO,
                 store_name() + ": " + sqlite3_errstr(code) + "; correct data_provider.connection_string, " + advice,
                 code};
}

// Connections go on in a file that nobody can find any more, and SQLite says nothing of it.
void SqliteDialect::look() {
  using namespace std::chrono;
  const auto now = duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
  auto after = look_after_ns_.load(std::memory_order_relaxed);
  if (now < after || !look_after_ns_.compare_exchange_strong(after, now + settings_.look_every.count())) return;
  if (settings_.connection_string.empty()) is_opened_one(file_id(settings_.name));
}

Outcome<void> SqliteDialect::still_there() {
  if (!settings_.connection_string.empty()) return {};
  const auto found = file_id(settings_.name);
  if (is_opened_one(found)) return {};
  return Failure{SP_E_IO, store_name() + ": " + (found ? kOtherFile : kNoFile), 0};
}

// Tells a change once.
bool SqliteDialect::is_opened_one(std::optional<FileId> found) {
  const std::lock_guard lock(mutex_);
  const bool same = !opened_ || found == opened_;
  if (!opened_ || found == told_) return same;
  told_ = found;
  if (same) {
    log_.info(store_name() + " is there again: what is stored goes into it");
    return true;
  }
  log_.error(store_name() + (found ? " was replaced" : " was deleted or moved away") +
             " while it is in use: what is read still comes from the file that was there, nothing is stored any more, "
             "and no further connection is made; put the file back, or restart the server with the right one");
  return false;
}

void SqliteDialect::undo_create() { remove_file(settings_.name); }

std::unique_ptr<Poco::Data::SessionPool> SqliteDialect::make_pool(int sessions, Opening opening) {
  sqlite::Connector::registerConnector();
  const bool look = opening == Opening::kLook;
  const auto& given = settings_.connection_string;
  if (given.empty()) {
    const std::lock_guard lock(mutex_);
    told_ = opened_ = file_id(settings_.name);
  }
  const auto uri = given.empty() ? file_uri(settings_.name) : look ? without_create(given) : given;
  return std::make_unique<Pool>(uri, sessions, given.empty() ? settings_.name : "", settings_.busy_timeout_ms, look);
}

std::string SqliteDialect::definition(const Column& column) const {
  if (column.automatic) return "integer NOT NULL PRIMARY KEY AUTOINCREMENT";
  std::string text = "text";
  if (column.type == Type::kInt64) text = column.bits <= 32 ? "integer" : "bigint";
  if (column.type == Type::kText && column.size > 0) text = "varchar(" + std::to_string(column.size) + ")";
  text += column.nullable ? " NULL" : " NOT NULL";
  if (column.unique) text += " UNIQUE";
  return text;
}

SqliteDialect::Relation SqliteDialect::relation(Session& session, const std::string& name) const {
  using namespace Poco::Data::Keywords;
  std::string type;
  Poco::Data::Statement statement(session);
  statement << "SELECT type FROM sqlite_master WHERE name = ? COLLATE NOCASE AND type IN ('table', 'view')", into(type),
      bind(name), limit(1);
  if (statement.execute() == 0) return Relation::kNone;
  return type == "view" ? Relation::kView : Relation::kTable;
}

std::vector<std::string> SqliteDialect::columns_of(Session& session, const std::string& relation) const {
  using namespace Poco::Data::Keywords;
  std::vector<std::string> names;
  Poco::Data::Statement statement(session);
  statement << "SELECT name FROM pragma_table_info(?)", into(names), bind(relation), now;
  return names;
}

Failure SqliteDialect::explain(const Poco::Exception& error) const {
  const std::string text = without_echo(error.message());
  const auto told = [&](sp_status status, const char* advice) {
    return Failure{status, store_name() + ": " + text + (*advice != '\0' ? "; " : "") + advice, error.code()};
  };
  if (dynamic_cast<const sqlite::ConstraintViolationException*>(&error) != nullptr) {
    return Failure{contains(text, "UNIQUE") ? SP_E_EXISTS : SP_E_INVALID, text, error.code()};
  }
  if (contains(text, "not a database") || dynamic_cast<const sqlite::CorruptImageException*>(&error) != nullptr) {
    return told(SP_E_IO, "the file is damaged or no SQLite database: restore a backup or correct data_provider.name");
  }
  if (dynamic_cast<const sqlite::ReadOnlyException*>(&error) != nullptr) {
    // Not SP_E_DENIED, which says that the host does not manage accounts: what was to be stored is kept for later.
    return told(SP_E_IO, "make the file and its directory writable for the account that runs sallyport");
  }
  if (contains(text, "is a view")) return told(SP_E_UNSUPPORTED, "set data_provider.manage_users and track_quota to 0");
  if (dynamic_cast<const sqlite::DatabaseFullException*>(&error) != nullptr) return told(SP_E_NO_SPACE, "");
  if (dynamic_cast<const sqlite::DBLockedException*>(&error) != nullptr ||
      dynamic_cast<const sqlite::TableLockedException*>(&error) != nullptr) {
    return told(SP_E_BUSY, "another process keeps it locked");
  }
  if (dynamic_cast<const sqlite::CantOpenDBFileException*>(&error) != nullptr ||
      dynamic_cast<const Poco::Data::ConnectionFailedException*>(&error) != nullptr) {
    return told(SP_E_IO, "it must exist and be readable and writable for the account that runs sallyport");
  }
  return told(SP_E_IO, "");
}

}  // namespace provider_sqlite
