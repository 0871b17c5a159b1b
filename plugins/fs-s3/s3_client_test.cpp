// SPDX-License-Identifier: Apache-2.0
//
// Requests and what a store in trouble answers to them.
#include "s3_client.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "encoding.h"
#include "fake_store_test.h"

namespace fs_s3 {
namespace {

using Methods = std::vector<std::string>;

const std::string kEtag = "\"0123456789abcdef0123456789abcdef\"";
const std::string kCopied = "<CopyObjectResult><ETag>x</ETag></CopyObjectResult>";

class Watched final : public CredentialsSource {
 public:
  Outcome<Credentials> get(const object_common::Stop&) override { return Credentials{"K", "S", "token"}; }
  void forget(const Credentials&) override { ++forgotten; }
  int forgotten = 0;
};

class S3ClientTest : public testing::Test {
 protected:
  S3Client& client(FakeStore::Answer answer) {
    store = std::make_unique<FakeStore>(std::move(answer));
    made = std::make_unique<S3Client>(std::make_shared<HttpClient>(HttpClient::Settings{}), credentials,
                                      Bucket{"b", "r", "", store->endpoint(), true},
                                      object_common::RetryPolicy{.attempts = 3, .first = std::chrono::milliseconds(1)});
    return *made;
  }
  static ObjectInfo object() {
    ObjectInfo info;
    info.etag = kEtag;
    return info;
  }
  std::shared_ptr<Watched> credentials = std::make_shared<Watched>();
  std::unique_ptr<FakeStore> store;
  std::unique_ptr<S3Client> made;
};

TEST_F(S3ClientTest, ACopyWhoseAnswerBreaksOffIsNone) {
  auto& asked = client([](const auto&) { return FakeStore::cut_off("<?xml version=\"1.0\"?> "); });
  const auto copied = asked.copy(nullptr, "from", "to", object());
  EXPECT_FALSE(copied);
  EXPECT_EQ(store->methods(), (Methods{"PUT", "PUT", "PUT"}));
}

TEST_F(S3ClientTest, ACopyThatBreaksOffOnceIsMadeAgainOfTheSameVersion) {
  int count = 0;
  std::string last;
  auto& asked = client([&](const auto& head) {
    last = head;
    return ++count == 1 ? FakeStore::cut_off("<CopyObjectResult>") : FakeStore::whole(200, kCopied);
  });
  EXPECT_TRUE(asked.copy(nullptr, "from", "to", object()));
  EXPECT_EQ(count, 2);
  EXPECT_NE(last.find("x-amz-copy-source-if-match: " + kEtag), std::string::npos) << last;
}

TEST_F(S3ClientTest, ACompletionWithoutAWordIsLookedAfter) {
  std::string etag = etag_of_parts({kEtag, kEtag});
  bool gone = true;
  const auto answer = [&](const std::string& head) {
    if (head.starts_with("POST")) return FakeStore::cut_off("  ");
    if (head.starts_with("HEAD")) return FakeStore::whole(200, "", "ETag: " + etag + "\r\n");
    return gone ? FakeStore::whole(404, "<Error><Code>NoSuchUpload</Code></Error>") : FakeStore::whole(204, "");
  };
  auto& asked = client(answer);
  EXPECT_TRUE(asked.complete_parts(nullptr, "key", "id", {kEtag, kEtag}));
  EXPECT_EQ(store->methods(), (Methods{"POST", "POST", "POST", "DELETE", "HEAD"}));
  EXPECT_FALSE(asked.complete_parts(nullptr, "key", "id", {kEtag})) << "somebody else's object";
  gone = false;
  EXPECT_FALSE(asked.complete_parts(nullptr, "key", "id", {kEtag, kEtag})) << "it was not done, and is taken back";
}

TEST_F(S3ClientTest, AWrongClockIsSeenWithoutABody) {
  const auto theirs = Poco::Timestamp() + Poco::Timespan(2 * 3600, 0);
  const auto hour = Poco::DateTimeFormatter::format(theirs, "%Y%m%dT%H");
  auto& asked = client([&](const auto& head) {
    const bool right = head.find("x-amz-date: " + hour) != std::string::npos;
    const auto date = "Date: " + Poco::DateTimeFormatter::format(theirs, "%w, %d %b %Y %H:%M:%S GMT") + "\r\n";
    return FakeStore::whole(right ? 200 : 403, "", date);
  });
  EXPECT_TRUE(asked.head(nullptr, "key"));
  EXPECT_EQ(store->methods(), (Methods{"HEAD", "HEAD"}));
}

TEST_F(S3ClientTest, AnExpiredTokenIsAskedForWhereHeadCannotSayIt) {
  auto& asked = client([&](const auto& head) {
    if (head.starts_with("GET")) return FakeStore::whole(400, "<Error><Code>ExpiredToken</Code></Error>");
    return FakeStore::whole(store->methods().size() == 1 ? 400 : 200, "");
  });
  EXPECT_TRUE(asked.head(nullptr, "key"));
  EXPECT_EQ(store->methods(), (Methods{"HEAD", "GET", "HEAD"}));
  EXPECT_EQ(credentials->forgotten, 1);
}

TEST_F(S3ClientTest, KeysAreDecodedWhenTheStoreSaysThatTheyAreEncoded) {
  std::string type;
  auto& asked = client([&](const auto&) {
    return FakeStore::whole(200,
                            "<ListBucketResult><Contents><Key>a%20b</Key></Contents>" + type + "</ListBucketResult>");
  });
  EXPECT_EQ(asked.list(nullptr, {})->entries.at(0).key, "a%20b");
  type = "<EncodingType>url</EncodingType>";
  EXPECT_EQ(asked.list(nullptr, {})->entries.at(0).key, "a b");
}

TEST_F(S3ClientTest, AStoreThatDoesNotAnswerHoldsNobodyForLong) {
  Poco::Net::ServerSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
  S3Client asked(
      std::make_shared<HttpClient>(HttpClient::Settings{}), credentials,
      Bucket{"b", "r", "", *Endpoint::parse("http://127.0.0.1:" + std::to_string(silent.address().port())), true},
      {.attempts = 20, .first = std::chrono::milliseconds(1), .total = std::chrono::seconds(1)});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(asked.head(nullptr, "key"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(15)) << "each attempt would wait for 30";
}

TEST(MachineCredentialsTest, OldOnesStayUntilThereAreNewOnesAndAFailureIsRemembered) {
  const auto soon = Poco::DateTimeFormatter::format(Poco::Timestamp() + Poco::Timespan(120, 0), "%Y-%m-%dT%H:%M:%SZ");
  bool works = false;
  FakeStore container([&](const auto&) {
    const std::string keys =
        R"({"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "t", "Expiration": ")" + soon + "\"}";
    return works ? FakeStore::whole(200, keys) : FakeStore::whole(500, "");
  });
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"}) ::unsetenv(name);
  ::setenv("HOME", "/nowhere", 1);
  ::setenv("http_proxy", "http://127.0.0.1:9", 1);
  ::setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", (container.url() + "/keys").c_str(), 1);
  MachineCredentials without({});
  EXPECT_FALSE(without.get(nullptr));
  works = true;
  EXPECT_FALSE(without.get(nullptr)) << "not asked again so soon";
  EXPECT_EQ(container.methods().size(), 1U);
  MachineCredentials machine({});
  ASSERT_TRUE(machine.get(nullptr));
  works = false;
  for (int i = 0; i < 3; ++i) {
    auto kept = machine.get(nullptr);
    ASSERT_TRUE(kept) << "they end in two minutes, and still hold";
    EXPECT_EQ(kept->access_key, "A");
  }
  EXPECT_EQ(container.methods().size(), 3U) << "one renewal was tried";
  EXPECT_FALSE(MachineCredentials({}).get([] { return true; }));
  EXPECT_EQ(container.methods().size(), 3U) << "whoever is gone asks nobody";
  ::unsetenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  ::unsetenv("http_proxy");
}

}  // namespace
}  // namespace fs_s3
