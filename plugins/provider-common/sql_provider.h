// SPDX-License-Identifier: Apache-2.0
//
// A data provider over any SQL database that has a Dialect. Worker threads share a pool of connections, so that readers
// run side by side.
#pragma once

#include <map>
#include <memory>
#include <sallyport/cpp/provider.hpp>
#include <semaphore>
#include <string>

#include "provider-common/schema.h"
#include "provider-common/sql_dialect.h"

namespace provider_common {

// The plugin's class derives from this and from sallyport::Provider.
class SqlProvider {
 public:
  static constexpr int kMaxConnections = 256;

  SqlProvider(std::unique_ptr<Dialect> dialect, int connections);
  ~SqlProvider();
  SqlProvider(const SqlProvider&) = delete;
  SqlProvider& operator=(const SqlProvider&) = delete;

  Outcome<bool> prepare(std::string_view collections_json, std::uint32_t mode);
  Outcome<void> check(const sp_op& op);
  Outcome<void> get(const sp_op& op, std::string_view collection, std::string_view key,
                    const sallyport::RecordSink& out);
  Outcome<void> put(const sp_op& op, std::string_view collection, std::string_view key, std::uint32_t mode,
                    std::string_view record_json);
  Outcome<void> remove(const sp_op& op, std::string_view collection, std::string_view key);
  Outcome<void> list(const sp_op& op, std::string_view query_json, const sallyport::RecordSink& out);
  Outcome<void> add(const sp_op& op, std::string_view collection, std::string_view key,
                    std::span<const sp_delta> deltas);

 private:
  // Runs `work(Session&)` on a free connection; waits for one up to the deadline of `op`.
  template <class Work>
  Outcome<void> with_session(const sp_op& op, Work&& work);
  template <class Work>
  Outcome<void> with_session_to_write(const sp_op& op, Work&& work);
  Outcome<bool> prepare_tables(Dialect::Opening opening);
  Outcome<void> insert(const sp_op& op, const Collection& collection, const Json& record);
  Outcome<void> update(const sp_op& op, const Collection& collection, std::string_view key, const Json& record);
  std::string select(const Collection& collection) const;
  std::string where_key(const Collection& collection) const;

  const std::unique_ptr<Dialect> dialect_;
  const int connections_;
  Schema schema_;                                        // set once by prepare
  std::map<const Collection*, std::string> select_one_;  // likewise
  std::unique_ptr<Poco::Data::SessionPool> pool_;        // likewise
  std::counting_semaphore<kMaxConnections> free_;
};

}  // namespace provider_common
