// SPDX-License-Identifier: Apache-2.0
//
// The provider contract on SQLite, and what is special about a file: layout, migration, views, and clear messages.
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "provider-common/testing/contract.h"
#include "temp_database_test.h"

using provider_common::testing::Json;
using provider_common::testing::people;
using provider_common::testing::person;
using provider_common::testing::Rig;
using provider_sqlite::test::at;
using provider_sqlite::test::TempDir;

namespace {

// Runs SQL beside the provider, as another program would; the first column of the last row.
std::string sql(const std::string& path, const std::string& text) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  std::string out;
  char* error = nullptr;
  const auto row = [](void* ctx, int, char** values, char**) {
    *static_cast<std::string*>(ctx) = values[0] != nullptr ? values[0] : "(null)";
    return 0;
  };
  EXPECT_EQ(sqlite3_exec(db, text.c_str(), row, &out, &error), SQLITE_OK) << (error != nullptr ? error : "");
  sqlite3_free(error);
  sqlite3_close(db);
  return out;
}

mode_t mode_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 0777;
}

}  // namespace

std::unique_ptr<Rig> make_rig() {
  static TempDir directory;
  static int number = 0;
  const auto path = directory.file(("contract" + std::to_string(++number) + ".db").c_str());
  {
    Rig creator(at(path));
    EXPECT_EQ(creator.prepare(SP_PREPARE_CREATE), SP_OK) << creator.message();
    EXPECT_EQ(creator.changed, 1U);
  }
  auto rig = std::make_unique<Rig>(at(path));
  EXPECT_EQ(rig->prepare(SP_PREPARE_OPEN), SP_OK) << rig->message();
  return rig;
}

namespace {

TEST(Sqlite, CreatesAPrivateFileInTheDeclaredLayout) {
  const TempDir directory;
  const auto path = directory.file("a b?#%.db");
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_CREATE), SP_OK) << rig.message();
  EXPECT_EQ(rig.changed, 1U);
  ASSERT_EQ(rig.insert("ada", person()), SP_OK);
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_EQ(mode_of(path + "-wal"), 0600U);
  EXPECT_EQ(sql(path, "SELECT version FROM schema_version"), "2");
  EXPECT_EQ(sql(path, "SELECT group_concat(name || ' ' || lower(type), ',') FROM pragma_table_info('people')"),
            "id integer,username varchar(255),password varchar(255),status integer,used bigint,files "
            "bigint,permissions text,folders text");
  EXPECT_EQ(sql(path, "PRAGMA journal_mode"), "wal");
  EXPECT_EQ(sql(path, "SELECT permissions FROM people"), R"({"/":["*"]})");
}

TEST(Sqlite, ASecondCreateChangesNothing) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  {
    Rig rig(at(path));
    ASSERT_EQ(rig.prepare(SP_PREPARE_CREATE), SP_OK);
    ASSERT_EQ(rig.insert("ada", person()), SP_OK);
  }
  Rig again(at(path));
  EXPECT_EQ(again.prepare(SP_PREPARE_CREATE), SP_OK);
  EXPECT_EQ(again.changed, 0U);
  EXPECT_EQ(again.names().size(), 1U);
}

TEST(Sqlite, MigratesVersionOneOnce) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  {
    Rig rig(at(path));
    ASSERT_EQ(rig.prepare(SP_PREPARE_CREATE), SP_OK);
    ASSERT_EQ(rig.insert("ada", person()), SP_OK);
  }
  sql(path, "ALTER TABLE people DROP COLUMN folders; UPDATE schema_version SET version = 1");
  {
    Rig rig(at(path));
    ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK) << rig.message();
    EXPECT_EQ(rig.changed, 1U);
    ASSERT_EQ(rig.update("ada", {{"folders", Json::array()}}), SP_OK);
  }
  EXPECT_EQ(sql(path, "SELECT version FROM schema_version"), "2");
  EXPECT_EQ(sql(path, "SELECT folders FROM people"), "[]");
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK);
  EXPECT_EQ(rig.changed, 0U);
}

// Names of the files in a directory, and what they hold.
std::map<std::string, std::string> contents(const std::filesystem::path& directory) {
  std::map<std::string, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream in(entry.path(), std::ios::binary);
    found[entry.path().filename()] = {std::istreambuf_iterator<char>(in), {}};
  }
  return found;
}

TEST(Sqlite, LookingChangesNothing) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  {
    Rig rig(at(path));
    ASSERT_EQ(rig.prepare(SP_PREPARE_CREATE), SP_OK);
    ASSERT_EQ(rig.insert("ada", person()), SP_OK);
  }
  const auto look = [&](const Json& settings) {
    const auto before = contents(directory.path());
    std::string outcome;
    {
      Rig rig(settings);
      const auto status = rig.prepare(SP_PREPARE_LOOK);
      if (status == SP_OK) {
        EXPECT_EQ(rig.check(), SP_OK) << rig.message();
        EXPECT_NE(rig.update("ada", {{"status", 0}}), SP_OK);
      }
      outcome = status != SP_OK ? rig.message() : rig.changed != 0 ? "old" : "good";
    }
    EXPECT_EQ(contents(directory.path()), before) << settings;
    return outcome;
  };
  EXPECT_EQ(look(at(path)), "good");
  // As the replaced system leaves it: without a write-ahead log, and of an older version.
  sql(path,
      "PRAGMA journal_mode = DELETE; ALTER TABLE people DROP COLUMN folders; UPDATE schema_version SET version = 1");
  EXPECT_EQ(look(at(path)), "old");
  for (const auto* parameters : {"", "?mode=rwc", "?mode=rwc&cache=private", "?cache=private&mode=rwc", "?mode=rw"}) {
    EXPECT_EQ(look({{"connection_string", "file:" + path + parameters}}), "old") << parameters;
    const auto none = look({{"connection_string", "file:" + directory.file("none.db") + parameters}});
    EXPECT_NE(none.find("sallyport initprovider"), std::string::npos) << parameters << none;
  }
  sql(path, "ALTER TABLE people DROP COLUMN status");
  EXPECT_NE(look(at(path)).find("lacks the column status"), std::string::npos);
  sql(path, "DROP TABLE people");
  EXPECT_NE(look(at(path)).find("sallyport initprovider"), std::string::npos);
  EXPECT_NE(look(at(directory.file("none.db"))).find("sallyport initprovider"), std::string::npos);
  std::ofstream(path) << std::string(8192, 'x');
  EXPECT_NE(look(at(path)).find("restore a backup"), std::string::npos);
}

TEST(Sqlite, ANewerVersionIsLeftAlone) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  sql(path, "UPDATE schema_version SET version = 9");
  Rig rig(at(path));
  EXPECT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK);
  EXPECT_EQ(sql(path, "SELECT version FROM schema_version"), "9");
}

TEST(Sqlite, AnUninitialisedStoreAdvisesInitprovider) {
  const TempDir directory;
  Rig absent(at(directory.file("absent.db")));
  EXPECT_EQ(absent.prepare(SP_PREPARE_OPEN), SP_E_NOT_FOUND);
  EXPECT_NE(absent.message().find("sallyport initprovider"), std::string::npos) << absent.message();
  EXPECT_FALSE(std::filesystem::exists(directory.file("absent.db")));

  const auto path = directory.file("other.db");
  sql(path, "CREATE TABLE something (x)");
  Rig other(at(path));
  EXPECT_EQ(other.prepare(SP_PREPARE_OPEN), SP_E_NOT_FOUND);
  EXPECT_NE(other.message().find("sallyport initprovider"), std::string::npos) << other.message();
  EXPECT_NE(other.message().find(path), std::string::npos) << other.message();
}

TEST(Sqlite, AMissingColumnIsNamed) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  sql(path, "ALTER TABLE people DROP COLUMN status");
  Rig rig(at(path));
  EXPECT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_E_INVALID);
  EXPECT_NE(rig.message().find("status"), std::string::npos) << rig.message();
}

TEST(Sqlite, AViewServesReaders) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  sql(path,
      "CREATE TABLE staff (n INTEGER PRIMARY KEY, login TEXT, secret TEXT); INSERT INTO staff VALUES (3, 'ada', "
      "'hash');"
      "CREATE VIEW people AS SELECT n AS id, login AS username, secret AS password, 1 AS status, 0 AS used, 0 AS files,"
      " '{\"/\":[\"list\"]}' AS permissions, NULL AS folders FROM staff");
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK) << rig.message();
  EXPECT_EQ(rig.changed, 0U);
  Json ada;
  ASSERT_EQ(rig.get("ada", ada), SP_OK);
  EXPECT_EQ(ada["password"], "hash");
  EXPECT_EQ(ada["permissions"]["/"][0], "list");
  EXPECT_EQ(rig.names(), (std::vector<std::string>{"ada"}));
  EXPECT_EQ(rig.update("ada", {{"status", 0}}), SP_E_UNSUPPORTED);
  EXPECT_NE(rig.message().find("manage_users"), std::string::npos) << rig.message();
}

TEST(Sqlite, TextThatIsNoJsonIsDeliveredAsAString) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_CREATE), SP_OK);
  sql(path,
      "INSERT INTO people (username, status, used, files, permissions, folders) VALUES ('ada', 1, 0, 0, '{\"/\":[', "
      "'')");
  Json ada;
  ASSERT_EQ(rig.get("ada", ada), SP_OK);
  EXPECT_EQ(ada["permissions"], "{\"/\":[");
  EXPECT_EQ(ada["folders"], "");
  sql(path, "UPDATE people SET password = CAST(x'ff41' AS TEXT)");
  EXPECT_EQ(rig.get("ada", ada), SP_E_INVALID);
  EXPECT_NE(rig.message().find("password"), std::string::npos) << rig.message();
}

TEST(Sqlite, ADamagedFileGivesOneClearMessage) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  std::ofstream(path) << std::string(8192, 'x');
  for (const auto mode : {SP_PREPARE_OPEN, SP_PREPARE_CREATE}) {
    Rig rig(at(path));
    EXPECT_EQ(rig.prepare(mode), SP_E_IO);
    EXPECT_NE(rig.message().find(path), std::string::npos) << rig.message();
    EXPECT_NE(rig.message().find("restore a backup"), std::string::npos) << rig.message();
    EXPECT_NE(rig.message().find(path + ": file is not a database; "), std::string::npos) << rig.message();
  }
  EXPECT_EQ(std::filesystem::file_size(path), 8192U);
}

TEST(Sqlite, PlacesThatCannotWorkAreRefused) {
  const TempDir directory;
  Rig relative(at("x.db"));
  EXPECT_EQ(relative.prepare(SP_PREPARE_CREATE), SP_E_INVALID);
  Rig folder(at(directory.path().string()));
  EXPECT_EQ(folder.prepare(SP_PREPARE_OPEN), SP_E_INVALID);
  Rig nowhere(at(directory.file("no/such/x.db")));
  EXPECT_EQ(nowhere.prepare(SP_PREPARE_CREATE), SP_E_DENIED);
  EXPECT_NE(nowhere.message().find("no/such/x.db"), std::string::npos) << nowhere.message();
}

TEST(Sqlite, AReadOnlyFileIsRefused) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  ::chmod(directory.path().c_str(), 0755);
  ::chmod(path.c_str(), 0444);
  const uid_t self = ::geteuid();
  if (self == 0) {
    ASSERT_EQ(::seteuid(65534), 0);  // root may write everywhere
  }
  Rig rig(at(path));
  const sp_status status = rig.prepare(SP_PREPARE_OPEN);
  ASSERT_EQ(::seteuid(self), 0);
  EXPECT_EQ(status, SP_E_DENIED);
  EXPECT_NE(rig.message().find("writable"), std::string::npos) << rig.message();
}

// SP_E_DENIED would mean that nobody wants the change, and it would be forgotten.
TEST(Sqlite, ADatabaseThatCannotBeWrittenIsAFailureAndNoRefusal) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  {
    Rig creator(at(path));
    ASSERT_EQ(creator.prepare(SP_PREPARE_CREATE), SP_OK) << creator.message();
    ASSERT_EQ(creator.insert("ada", person()), SP_OK);
  }
  Rig rig({{"connection_string", "file:" + path + "?mode=ro"}, {"pool_size", 1}});
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK) << rig.message();
  EXPECT_EQ(rig.insert("bob", person()), SP_E_IO);
  EXPECT_NE(rig.message().find("readonly"), std::string::npos) << rig.message();
  EXPECT_NE(rig.message().find("writable for the account"), std::string::npos) << rig.message();
}

TEST(Sqlite, AUriThatCannotBeOpenedIsRefusedAtOnce) {
  Rig rig({{"connection_string", "file:/nonexistent/x.db"}, {"pool_size", 1}});
  EXPECT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_E_IO);
  EXPECT_NE(rig.message().find("data_provider.connection_string"), std::string::npos) << rig.message();
}

TEST(Sqlite, AFailedCreateLeavesNoFile) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  auto collections = people();
  collections["collections"].push_back(collections["collections"][0]);
  collections["collections"][1]["name"] = "groups";
  collections["collections"][1]["table"] = "sqlite_reserved";
  Rig rig(at(path));
  EXPECT_EQ(rig.prepare(SP_PREPARE_CREATE, collections), SP_E_IO);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Sqlite, AWorldReadableFileIsWarnedOf) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  ::chmod(path.c_str(), 0644);
  Rig rig(at(path));
  ASSERT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK);
  ASSERT_EQ(rig.log_lines.size(), 1U);
  EXPECT_NE(rig.log_lines[0].find("chmod 600"), std::string::npos);
}

TEST(Sqlite, AConnectionStringIsUsedAsItIs) {
  const TempDir directory;
  const auto path = directory.file("x.db");
  { ASSERT_EQ(Rig(at(path)).prepare(SP_PREPARE_CREATE), SP_OK); }
  Rig rig(Json::object({{"connection_string", "file:" + path + "?cache=private"}}));
  EXPECT_EQ(rig.prepare(SP_PREPARE_OPEN), SP_OK) << rig.message();
}

}  // namespace
