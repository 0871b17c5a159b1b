// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a directory that is renamed while others write to it, or the store fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "fake_store_test.h"
#include "quiet_host_test.h"
#include "s3_fs.h"
#include "shared.h"

namespace fs_s3 {
namespace {

// Keeps keys and their ETags, and does to requests what a test wants.
class RenameTest : public testing::Test {
 protected:
  static Settings patient_for_a_second() {
    Settings settings;
    settings.memory_bytes = 1 << 20;
    settings.threads = 2;
    settings.rename_max_keys = 100;
    settings.rename_patience = std::chrono::seconds(1);
    settings.retries = {
        .attempts = 1000, .first = std::chrono::milliseconds(1), .longest = std::chrono::milliseconds(5)};
    return settings;
  }
  std::string answer(const std::string& head) {
    const std::lock_guard lock(mutex);
    const std::string method = head.substr(0, head.find(' '));
    const std::string target = head.substr(method.size() + 1, head.find(" HTTP") - method.size() - 1);
    const std::string key = target.substr(std::min(target.find("/b/") + 3, target.size()));
    if (meanwhile) {
      if (auto instead = meanwhile(method, key)) return *instead;
    }
    if (method == "GET") return listing(target);
    if (method == "HEAD") {
      if (!objects.contains(key)) return FakeStore::whole(404, "");
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"" + objects[key] + "\"\r\nContent-Length: 1\r\n\r\n";
    }
    if (method == "DELETE") {
      objects.erase(key);
      return FakeStore::whole(204, "");
    }
    const std::string from = FakeStore::header(head, "x-amz-copy-source").substr(3);
    if (!objects.contains(from)) return FakeStore::whole(404, "<Error><Code>NoSuchKey</Code></Error>");
    if (FakeStore::header(head, "x-amz-copy-source-if-match") != "\"" + objects[from] + "\"") {
      return FakeStore::whole(412, "<Error><Code>PreconditionFailed</Code></Error>");
    }
    objects[key] = objects[from];
    return FakeStore::whole(200, "<CopyObjectResult><ETag>" + objects[key] + "</ETag></CopyObjectResult>");
  }
  std::string listing(const std::string& target) {
    const auto from = target.find("prefix=") + 7;
    const std::string prefix = target.substr(from, target.find('&', from) - from);
    std::string text = "<ListBucketResult>";
    for (const auto& [key, etag] : objects) {
      const bool below = key.starts_with(prefix == "dir%2F" ? "dir/" : prefix == "new%2F" ? "new/" : prefix);
      if (below) text += "<Contents><Key>" + key + "</Key></Contents>";
    }
    return FakeStore::whole(200, text + "</ListBucketResult>");
  }
  Outcome<void> rename() { return fs.rename(sp_op{}, "/dir", "/new", 0); }

  using Objects = std::map<std::string, std::string>;
  std::mutex mutex;
  Objects objects{{"dir/a", "1"}, {"dir/b", "2"}, {"dir/c", "3"}};  // under mutex, as what happens meanwhile
  std::function<std::optional<std::string>(const std::string& method, const std::string& key)> meanwhile;
  FakeStore store{[this](const std::string& head) { return answer(head); }};
  LoggingHost host;
  Shared shared{host.host, patient_for_a_second()};
  std::shared_ptr<S3Client> client = std::make_shared<S3Client>(
      shared.http, std::make_shared<GivenCredentials>(Credentials{"K", "S", ""}),
      Bucket{"b", "r", "", store.endpoint(), true}, S3Client::Options{.retries = shared.settings.retries});
  S3Fs fs{shared, shared.memory, client, *Keys::within(""), Owner{}};
};

TEST_F(RenameTest, WhatIsReplacedBeforeItIsCopiedIsCopiedAsItIsThen) {
  meanwhile = [this](const auto& method, const auto& key) -> std::optional<std::string> {
    if (method == "PUT" && key == "new/b" && objects["dir/b"] == "2") objects["dir/b"] = "newer";
    return std::nullopt;
  };
  auto done = rename();
  EXPECT_TRUE(done) << done.failure().message;
  EXPECT_EQ(objects, (Objects{{"new/a", "1"}, {"new/b", "newer"}, {"new/c", "3"}}));
}

TEST_F(RenameTest, WhatIsTakenAwayMeanwhileIsMissedByNobody) {
  meanwhile = [this](const auto& method, const auto& key) -> std::optional<std::string> {
    if (key == "dir/a" && method == "HEAD") objects.erase("dir/a");  // before it is looked at
    if (key == "new/b" && method == "PUT") objects.erase("dir/b");   // between the look and the copy
    return std::nullopt;
  };
  auto done = rename();
  EXPECT_TRUE(done) << done.failure().message;
  EXPECT_EQ(objects, (Objects{{"new/c", "3"}}));
}

TEST_F(RenameTest, WhatIsReplacedAgainAndAgainEndsItAndNothingMoves) {
  int count = 0;
  meanwhile = [&](const auto& method, const auto& key) -> std::optional<std::string> {
    if (method == "PUT" && key == "new/b") objects["dir/b"] = "newer" + std::to_string(++count);
    return std::nullopt;
  };
  auto done = rename();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().status, SP_E_CONFLICT);
  EXPECT_NE(done.failure().message.find("nothing has moved"), std::string::npos) << done.failure().message;
  EXPECT_EQ(count, 3);
  EXPECT_EQ(objects, (Objects{{"dir/a", "1"}, {"dir/b", "newer3"}, {"dir/c", "3"}}));
}

TEST_F(RenameTest, OneKeyReplacedAfterItsCopyKeepsNoOtherFromItsNewName) {
  meanwhile = [this](const auto& method, const auto& key) -> std::optional<std::string> {
    if (method == "HEAD" && key == "dir/a" && objects.contains("new/a")) objects["dir/a"] = "newer";
    return std::nullopt;
  };
  auto done = rename();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().status, SP_E_CONFLICT);
  const std::string text =
      "all 3 keys have their new names; of the old ones 1 were replaced meanwhile and stay, 0 could not be deleted";
  EXPECT_TRUE(done.failure().message.starts_with(text)) << done.failure().message;
  EXPECT_EQ(objects, (Objects{{"dir/a", "newer"}, {"new/a", "1"}, {"new/b", "2"}, {"new/c", "3"}}));
  ASSERT_EQ(host.lines().size(), 1U);
  EXPECT_EQ(host.lines()[0], "renaming /dir/ to /new/ in bucket \"b\": " + text);
}

TEST_F(RenameTest, AStoreThatDeletesNothingDoesNotHoldItForEver) {
  for (int i = 0; i < 40; ++i) objects["dir/" + std::to_string(i)] = "x";
  meanwhile = [](const auto& method, const auto&) -> std::optional<std::string> {
    return method == "DELETE" ? std::optional(FakeStore::whole(503, "")) : std::nullopt;
  };
  const auto begun = std::chrono::steady_clock::now();
  auto done = rename();
  ASSERT_FALSE(done);
  EXPECT_NE(done.failure().message.find("43 could not be deleted"), std::string::npos) << done.failure().message;
  EXPECT_EQ(objects.size(), 86U);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(15))
      << "each key would be tried for some seconds";
}

TEST_F(RenameTest, WhatAFailureTakesBackIsOnlyItsOwn) {
  meanwhile = [this](const auto& method, const auto& key) -> std::optional<std::string> {
    if (method == "HEAD" && key == "new/a") objects["new/a"] = "somebody else's";
    const bool refused = method == "PUT" && key == "new/c" && objects.contains("new/a") && objects.contains("new/b");
    if (method != "PUT" || key != "new/c") return std::nullopt;
    return FakeStore::whole(refused ? 403 : 503, "<Error><Code>AccessDenied</Code></Error>");
  };
  auto done = rename();
  ASSERT_FALSE(done);
  EXPECT_EQ(objects, (Objects{{"dir/a", "1"}, {"dir/b", "2"}, {"dir/c", "3"}, {"new/a", "somebody else's"}}));
}

// The answer to one copy gets lost, then it is refused.
TEST_F(RenameTest, ACopyInDoubtIsTakenBackUnlessItIsSomebodyElses) {
  for (const bool replaced : {false, true}) {
    objects = {{"dir/c", "3"}};
    bool made = false;
    meanwhile = [&](const auto& method, const auto& key) -> std::optional<std::string> {
      if (method == "HEAD" && key == "new/c" && made && replaced) objects["new/c"] = "somebody else's";
      if (method != "PUT") return std::nullopt;
      if (std::exchange(made, true)) return FakeStore::whole(403, "<Error><Code>AccessDenied</Code></Error>");
      objects["new/c"] = "3";
      return "";
    };
    auto done = rename();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.failure().status, SP_E_DENIED);
    EXPECT_EQ(objects, replaced ? (Objects{{"dir/c", "3"}, {"new/c", "somebody else's"}}) : (Objects{{"dir/c", "3"}}));
    ASSERT_EQ(host.lines().size(), replaced ? 1U : 0U);
  }
  EXPECT_NE(host.lines()[0].find("1 new names have objects that are perhaps not copies and stay"), std::string::npos)
      << host.lines()[0];
}

TEST_F(RenameTest, KeysThatItNeverComesToAreNoSuccess) {
  S3Client::Options options{.retries = shared.settings.retries};
  options.watch = [](std::string_view operation, bool, auto) {
    if (operation == "DeleteObject") throw std::bad_alloc();
  };
  S3Fs short_of_memory{
      shared, shared.memory,
      std::make_shared<S3Client>(shared.http, std::make_shared<GivenCredentials>(Credentials{"K", "S", ""}),
                                 Bucket{"b", "r", "", store.endpoint(), true}, options),
      *Keys::within(""), Owner{}};
  auto done = short_of_memory.rename(sp_op{}, "/dir", "/new", 0);
  ASSERT_FALSE(done);
  EXPECT_NE(done.failure().message.find("3 could not be deleted"), std::string::npos) << done.failure().message;
}

TEST_F(RenameTest, NothingIsKnownAnyMoreOfWhatMovedOrWentAway) {
  auto& seen = shared.parents_seen;
  const auto learn = [&] {
    for (const char* key : {"dir", "dir/in", "new", "new/in", "beside"}) {
      seen.add(client->whole_name(key), seen.forgotten());
    }
  };
  const auto known = [&](const char* key) { return seen.knows(client->whole_name(key)); };
  learn();
  ASSERT_TRUE(rename());
  for (const char* key : {"dir", "dir/in", "new", "new/in"}) EXPECT_FALSE(known(key)) << key;
  EXPECT_TRUE(known("beside"));
  objects = {{"dir/", "1"}};
  learn();
  ASSERT_TRUE(fs.remove(sp_op{}, "/dir", SP_REMOVE_DIR));
  for (const char* key : {"dir", "dir/in"}) EXPECT_FALSE(known(key)) << key;
  EXPECT_TRUE(known("new"));
}

// A file that has the name by now is no directory, whoever looked before.
TEST_F(RenameTest, NothingIsMadeBelowAFileThatGotItsNameByARename) {
  objects = {{"file", "1"}};
  const auto make = [this] {
    sp_open_args args{};
    args.flags = SP_OPEN_WRITE | SP_OPEN_CREATE | SP_OPEN_TRUNCATE;
    return fs.open(sp_op{}, "/new/below", args);
  };
  EXPECT_TRUE(make());
  ASSERT_TRUE(fs.rename(sp_op{}, "/file", "/new", 0));
  auto refused = make();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().status, SP_E_NOT_DIR);
}

// The rollback tries for a while and says what stays.
TEST_F(RenameTest, CopiesThatCannotBeTakenBackAreCounted) {
  meanwhile = [this](const auto& method, const auto& key) -> std::optional<std::string> {
    if (method == "DELETE") return FakeStore::whole(503, "");
    if (method != "PUT" || key != "new/c") return std::nullopt;
    return FakeStore::whole(objects.contains("new/a") && objects.contains("new/b") ? 403 : 503, "");
  };
  auto done = rename();
  ASSERT_FALSE(done);
  ASSERT_EQ(host.lines().size(), 1U);
  EXPECT_EQ(host.lines()[0],
            "renaming /dir/ to /new/ in bucket \"b\": 2 of 3 keys were copied, 2 of these could not be deleted again, "
            "nothing has moved");
}

}  // namespace
}  // namespace fs_s3
