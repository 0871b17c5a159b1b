// SPDX-License-Identifier: Apache-2.0
//
// What one SQL database does in its own way. Everything else of a SQL provider is in sql_provider.h.
#pragma once

#include <Poco/Data/Session.h>
#include <Poco/Data/SessionPool.h>
#include <Poco/Exception.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "provider-common/schema.h"

namespace provider_common {

class Dialect {
 public:
  enum class Relation { kNone, kTable, kView };
  enum class Opening { kOpen, kCreate, kLook };  // SP_PREPARE_*

  virtual ~Dialect() = default;
  // Before the first connection: true when a new, empty store was made (only by kCreate). [setup]
  virtual Outcome<bool> before_open(Opening opening) = 0;
  // Takes back what before_open made, when the tables could not be created. [setup]
  virtual void undo_create() {}
  // Before each use: has somebody taken the store away? Tells it in the log; quick, several at once.
  virtual void look() {}
  // Before what must not be lost, and when somebody asks: the failure when what was opened is no longer what others
  // find.
  virtual Outcome<void> still_there() { return {}; }
  // Connections for kLook leave the store as it is, its layout on disk included.
  virtual std::unique_ptr<Poco::Data::SessionPool> make_pool(int sessions, Opening opening) = 0;

  virtual std::string quote(std::string_view identifier) const { return '"' + std::string(identifier) + '"'; }
  // Column definition after the name, e.g. `varchar(255) NOT NULL UNIQUE`.
  virtual std::string definition(const Column& column) const = 0;
  // Starts a transaction that may write, so that two starting hosts do not migrate at once.
  virtual std::string begin_write() const { return "BEGIN"; }
  virtual Relation relation(Poco::Data::Session& session, const std::string& name) const = 0;
  virtual std::vector<std::string> columns_of(Poco::Data::Session& session, const std::string& relation) const = 0;

  // The failure a database error means, with a text that names the database and says what to do.
  virtual Failure explain(const Poco::Exception& error) const = 0;
  // "database /var/lib/x.db", for messages.
  virtual std::string store_name() const = 0;
};

}  // namespace provider_common
