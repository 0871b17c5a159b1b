// SPDX-License-Identifier: Apache-2.0
//
// SQLite's answers to provider-common's questions.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <sallyport/cpp/base.hpp>
#include <string>

#include "database_file.h"
#include "provider-common/sql_dialect.h"

namespace provider_sqlite {

using provider_common::Column;
using sallyport::Failure;
using sallyport::Outcome;

struct Settings {
  std::string name;                    // absolute path of the file
  std::string connection_string = {};  // SQLite URI instead of `name`, as it is
  int busy_timeout_ms = 10000;
  std::chrono::nanoseconds look_every = std::chrono::seconds(1);  // at the path, while it is read
};

class SqliteDialect final : public provider_common::Dialect {
 public:
  SqliteDialect(Settings settings, sallyport::Log log) : settings_(std::move(settings)), log_(std::move(log)) {}

  Outcome<bool> before_open(Opening opening) override;
  void undo_create() override;
  void look() override;
  Outcome<void> still_there() override;
  std::unique_ptr<Poco::Data::SessionPool> make_pool(int sessions, Opening opening) override;
  std::string definition(const Column& column) const override;
  std::string begin_write() const override { return "BEGIN IMMEDIATE"; }
  Relation relation(Poco::Data::Session& session, const std::string& name) const override;
  std::vector<std::string> columns_of(Poco::Data::Session& session, const std::string& relation) const override;
  Failure explain(const Poco::Exception& error) const override;
  std::string store_name() const override;

 private:
  Outcome<bool> check_uri(Opening opening) const;

  bool is_opened_one(std::optional<FileId> found);

  const Settings settings_;
  const sallyport::Log log_;
  std::atomic<std::int64_t> look_after_ns_{0};  // of the steady clock
  std::mutex mutex_;
  std::optional<FileId> opened_;  // under mutex_
  std::optional<FileId> told_;    // likewise; what was last found at the path
};

}  // namespace provider_sqlite
