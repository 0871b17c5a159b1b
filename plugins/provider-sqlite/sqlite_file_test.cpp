// SPDX-License-Identifier: Apache-2.0
//
// A database file that is moved, removed or replaced while it is in use.
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "provider-common/testing/rig.h"
#include "sqlite_dialect.h"
#include "temp_database_test.h"

namespace provider_sqlite::test {
namespace {

using provider_common::testing::Json;
using provider_common::testing::Rig;

// A dialect that looks at its path each time it is asked to, and what it says.
struct Looking {
  explicit Looking(const std::string& path)
      : dialect({.name = path, .look_every = std::chrono::nanoseconds(0)}, sallyport::Log(&host, "sqlite")) {
    host.ctx = this;
    host.log = [](const sp_host* from, std::uint32_t, sp_str, sp_str text) noexcept {
      static_cast<Looking*>(from->ctx)->lines.emplace_back(sallyport::view(text));
    };
    pool = dialect.make_pool(1, provider_common::Dialect::Opening::kOpen);
  }
  std::vector<std::string> told() {
    lines.clear();
    for (int i = 0; i < 3; ++i) dialect.look();
    return lines;
  }

  sp_host host{};
  std::vector<std::string> lines;
  SqliteDialect dialect;
  std::unique_ptr<Poco::Data::SessionPool> pool;
};

TEST(SqliteFile, AFileThatIsTakenAwayIsToldOnce) {
  const TempDir directory;
  const auto path = directory.file("x.db"), aside = directory.file("y.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  Looking looking(path);
  EXPECT_TRUE(looking.told().empty());
  std::filesystem::rename(path, aside);
  auto lines = looking.told();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(path + " was deleted or moved away"), std::string::npos) << lines[0];
  EXPECT_TRUE(looking.told().empty()) << "said already";
  std::filesystem::copy(aside, path);
  lines = looking.told();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(path + " was replaced"), std::string::npos) << lines[0];
  std::filesystem::rename(aside, path);
  lines = looking.told();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find(path + " is there again"), std::string::npos) << lines[0];
  std::filesystem::remove(path);
  EXPECT_EQ(looking.told().size(), 1U);
}

// It would go into a file that nobody finds any more.
TEST(SqliteFile, NothingIsStoredWhileAnotherFileHasTheName) {
  const TempDir directory;
  const auto path = directory.file("x.db"), aside = directory.file("y.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK);
  const Json record = {{"permissions", Json::object()}};
  ASSERT_EQ(rig.insert("ann", record), SP_OK);
  const auto refused = [&](const char* why) {
    const auto is = [&](sp_status status) {
      EXPECT_EQ(status, SP_E_IO);
      EXPECT_NE(rig.message().find(path + ": " + why), std::string::npos) << rig.message();
    };
    is(rig.check());
    is(rig.insert("bob", record));
    is(rig.update("ann", record));
    is(rig.remove("ann"));
    EXPECT_EQ(rig.add("ann", {{"used", 1}}), SP_E_IO);
    EXPECT_EQ(rig.names(), std::vector<std::string>{"ann"}) << "who is there may still log in";
  };
  std::filesystem::rename(path, aside);
  refused("its file was deleted or moved away");
  { ASSERT_EQ(Rig(at(directory.file("z.db"))).prepare(SP_PREPARE_CREATE), SP_OK); }
  std::filesystem::rename(directory.file("z.db"), path);
  refused("another file has its name");
  EXPECT_EQ(rig.log_lines.size(), 2U) << "one line for each change";
  std::filesystem::rename(aside, path);
  EXPECT_EQ(rig.check(), SP_OK) << rig.message();
  EXPECT_EQ(rig.insert("bob", record), SP_OK) << rig.message();
}

// SQLite would take what it finds for what another file has left, and remove it.
TEST(SqliteFile, NoneIsMadeBesideALogOfChanges) {
  const TempDir directory;
  const auto path = directory.file("x.db"), aside = directory.file("y.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK);
  ASSERT_EQ(rig.insert("ann", {{"permissions", Json::object()}}), SP_OK);
  std::filesystem::rename(path, aside);
  Rig creator(at(path));
  EXPECT_EQ(creator.prepare(SP_PREPARE_CREATE), SP_E_NOT_FOUND);
  EXPECT_NE(creator.message().find("put the file back"), std::string::npos) << creator.message();
  EXPECT_TRUE(std::filesystem::exists(path + "-wal"));
}

// What SQLite keeps beside the old file would be taken for the new one's.
TEST(SqliteFile, NoConnectionIsMadeToAFileThatTookTheNameMeanwhile) {
  const TempDir directory;
  const auto path = directory.file("x.db"), other = directory.file("y.db");
  { ASSERT_EQ(Rig(at(other)).prepare(SP_PREPARE_CREATE), SP_OK); }
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  struct Beside {
    Rig rig;
    std::optional<sp_status> status = {};
  } beside{Rig(at(path))};
  ASSERT_EQ(beside.rig.prepare(SP_PREPARE_OPEN), SP_OK);
  ASSERT_EQ(beside.rig.insert("ann", {{"permissions", Json::object()}}), SP_OK);
  // While this one's connection is in use, another request needs another.
  const sp_record_sink sink{&beside, [](void* ctx, sp_str) noexcept -> sp_status {
                              auto& self = *static_cast<Beside*>(ctx);
                              Json record;
                              self.status = self.rig.get("ann", record);
                              return SP_OK;
                            }};
  std::filesystem::rename(other, path);
  sp_op op{sizeof(sp_op), 0, 0, 0, 0};
  sp_error error{};
  error.struct_size = sizeof error;
  auto* const raw = beside.rig.raw();
  EXPECT_EQ(raw->ops->list(raw, &op, sallyport::str(R"({"collection": "users"})"), &sink, &error), SP_OK);
  ASSERT_TRUE(beside.status) << "there was a record";
  EXPECT_EQ(*beside.status, SP_E_IO);
  EXPECT_NE(beside.rig.message().find("another file has its name"), std::string::npos) << beside.rig.message();
}

}  // namespace
}  // namespace provider_sqlite::test
