// SPDX-License-Identifier: Apache-2.0
//
// The plugin: SQLite's dialect under the common SQL provider, and its configuration. Start-up thread only.
#include <sallyport/version.h>

#include <nlohmann/json.hpp>
#include <sallyport/cpp/provider.hpp>

#include "provider-common/sql_provider.h"
#include "sqlite_dialect.h"

namespace provider_sqlite {
namespace {

constexpr int kDefaultConnections = 16;

class SqliteProvider final : public provider_common::SqlProvider, public sallyport::Provider<SqliteProvider> {
 public:
  static constexpr const char* kType = "provider-sqlite";
  static constexpr const char* kSummary = "accounts in an SQLite database file";
  // Other members of data_provider belong to other drivers and are let through.
  static constexpr const char* kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": true,
  "properties": {
    "name": {"type": "string", "default": "", "description": "absolute path of the database file"},
    "connection_string": {"type": "string", "default": "", "description": "SQLite URI to use as it is instead of name, e.g. file:/srv/users.db?mode=rw"},
    "pool_size": {"type": "integer", "minimum": 0, "maximum": 256, "default": 0, "description": "most connections open at once; 0 means 16"},
    "busy_timeout_ms": {"type": "integer", "minimum": 0, "maximum": 600000, "default": 10000, "description": "how long to wait while another process writes"}
  }
})json";

  static Outcome<std::unique_ptr<SqliteProvider>> create(const sp_host& host, std::string_view config_json) {
    const auto json = nlohmann::json::parse(config_json);
    Settings settings;
    settings.name = json.value("name", "");
    settings.connection_string = json.value("connection_string", "");
    settings.busy_timeout_ms = json.value("busy_timeout_ms", settings.busy_timeout_ms);
    const int pool_size = json.value("pool_size", 0);
    auto dialect = std::make_unique<SqliteDialect>(std::move(settings), sallyport::Log(&host, "sqlite"));
    return std::make_unique<SqliteProvider>(std::move(dialect), pool_size > 0 ? pool_size : kDefaultConnections);
  }

  using SqlProvider::SqlProvider;
};

}  // namespace
}  // namespace provider_sqlite

SALLYPORT_PLUGIN("org.sallyport.provider-sqlite", "provider-sqlite", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kProviderFactory<provider_sqlite::SqliteProvider>)
