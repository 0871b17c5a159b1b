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
#include "s3_error.h"

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
  S3Client& client(FakeStore::Answer answer, bool in_path = true) {
    store = std::make_unique<FakeStore>(std::move(answer));
    S3Client::Options options;
    options.retries = {.attempts = 3, .first = std::chrono::milliseconds(1)};
    options.max_copy_bytes = 10;
    options.copy_part_bytes = 4;
    options.left = [this](auto, const LeftUpload& upload) { left.push_back(upload); };
    options.watch = [this](auto operation, bool good, auto) { watched.emplace_back(std::string(operation), good); };
    made = std::make_unique<S3Client>(std::make_shared<HttpClient>(HttpClient::Settings{}), credentials,
                                      Bucket{"b", "r", "CLASS", store->endpoint(), in_path}, options);
    return *made;
  }
  static ObjectInfo object() {
    ObjectInfo info;
    info.etag = kEtag;
    return info;
  }
  std::shared_ptr<Watched> credentials = std::make_shared<Watched>();
  std::vector<std::pair<std::string, bool>> watched;
  std::vector<LeftUpload> left;
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
      {.retries = {.attempts = 20, .first = std::chrono::milliseconds(1), .total = std::chrono::seconds(1)}});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(asked.head(nullptr, "key"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(15)) << "each attempt would wait for 30";
}

TEST_F(S3ClientTest, WhoeverIsGoneWaitsForNoAnswer) {
  Poco::Net::ServerSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
  S3Client asked(
      std::make_shared<HttpClient>(HttpClient::Settings{}), credentials,
      Bucket{"b", "r", "", *Endpoint::parse("http://127.0.0.1:" + std::to_string(silent.address().port())), true}, {});
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(
      asked.head([&] { return std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(1); }, "key"));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(15)) << "an answer is waited for 30 seconds";
}

TEST_F(S3ClientTest, OddKeysAreNamedInBothStyles) {
  const std::string odd = "a b+c%20&=\xc3\xa9/\"#?";
  for (const bool in_path : {true, false}) {
    auto& asked = client([](const auto&) { return FakeStore::whole(200, ""); }, in_path);
    ASSERT_TRUE(asked.head(nullptr, odd));
    ASSERT_TRUE(asked.head_bucket(nullptr));
    const std::string key = "/a%20b%2Bc%2520%26%3D%C3%A9/%22%23%3F HTTP/1.1\r\n";
    EXPECT_TRUE(store->heads().at(0).starts_with((in_path ? "HEAD /b" : "HEAD ") + key)) << store->heads().at(0);
    EXPECT_TRUE(store->heads().at(1).starts_with(in_path ? "HEAD /b HTTP" : "HEAD / HTTP")) << store->heads().at(1);
  }
}

TEST_F(S3ClientTest, AConnectionIsKeptUnlessDataWasRefusedOnIt) {
  std::string status = "200 OK";
  auto& asked = client([&](const auto&) { return "HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n"; });
  const auto data = std::as_bytes(std::span("data", 4));
  ASSERT_TRUE(asked.put(nullptr, "key", {}, data));
  ASSERT_TRUE(asked.head(nullptr, "key"));
  EXPECT_EQ(store->connections(), 1);
  status = "403 Forbidden";
  EXPECT_FALSE(asked.put(nullptr, "key", {}, data));
  status = "404 Not Found";
  EXPECT_FALSE(asked.head(nullptr, "key"));
  EXPECT_FALSE(asked.head(nullptr, "key"));
  EXPECT_EQ(store->connections(), 2) << "what the store read of the refused data is unknown; HEAD sent none";
}

TEST_F(S3ClientTest, ALargeCopyIsMadeOfPartsAndKeepsWhatTheObjectIs) {
  auto& asked = client([&](const std::string& head) {
    if (head.starts_with("POST /b/to?uploads=")) {
      return FakeStore::whole(200,
                              "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    if (head.starts_with("PUT")) return FakeStore::whole(200, "<CopyPartResult><ETag>e</ETag></CopyPartResult>");
    return FakeStore::whole(200, "<CompleteMultipartUploadResult><Key>to</Key></CompleteMultipartUploadResult>");
  });
  ObjectInfo what = object();
  what.size = 11;
  what.nature = {{"content-type", "text/x"}, {"x-amz-meta-a", "1"}, {"x-amz-storage-class", "COLD"}};
  ASSERT_TRUE(asked.copy(nullptr, "from", "to", what));
  const auto heads = store->heads();
  ASSERT_EQ(store->methods(), (Methods{"POST", "PUT", "PUT", "PUT", "POST"}));
  EXPECT_EQ(FakeStore::header(heads[0], "content-type"), "text/x");
  EXPECT_EQ(FakeStore::header(heads[0], "x-amz-meta-a"), "1");
  EXPECT_EQ(FakeStore::header(heads[0], "x-amz-storage-class"), "COLD");
  const char* const ranges[] = {"bytes=0-3", "bytes=4-7", "bytes=8-10"};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(FakeStore::header(heads[i + 1], "x-amz-copy-source-range"), ranges[i]);
    EXPECT_EQ(FakeStore::header(heads[i + 1], "x-amz-copy-source-if-match"), kEtag);
  }
}

TEST_F(S3ClientTest, AListingThatBreaksOffIsAskedForAgain) {
  int count = 0;
  auto& asked = client([&](const auto&) {
    const std::string text = "<ListBucketResult><Contents><Key>a</Key></Contents>";
    return ++count == 1 ? FakeStore::cut_off(text) : FakeStore::whole(200, text + "</ListBucketResult>");
  });
  EXPECT_EQ(asked.list(nullptr, {})->entries.at(0).key, "a");
  EXPECT_EQ(count, 2);
}

TEST_F(S3ClientTest, DataWhoseAnswersGetLostIsLookedFor) {
  const auto data = std::as_bytes(std::span("data", 4));
  std::string etag = etag_of(data);
  auto& asked = client([&](const auto& head) {
    return head.starts_with("PUT") ? std::string() : FakeStore::whole(200, "", "ETag: " + etag + "\r\n");
  });
  EXPECT_TRUE(asked.put(nullptr, "key", {}, data));
  etag = kEtag;
  EXPECT_FALSE(asked.put(nullptr, "key", {}, data)) << "that is another object";
  EXPECT_EQ(store->methods(), (Methods{"PUT", "PUT", "PUT", "HEAD", "PUT", "PUT", "PUT", "HEAD"}));
}

TEST_F(S3ClientTest, WhateverTheLastAnswerSaysDataMayBeThereByOneThatGotLost) {
  const auto data = std::as_bytes(std::span("data", 4));
  int count = 0;
  auto& asked = client([&](const auto& head) {
    if (head.starts_with("HEAD")) return FakeStore::whole(200, "", "ETag: " + etag_of(data) + "\r\n");
    return ++count == 1 ? std::string() : FakeStore::whole(403, "<Error><Code>AccessDenied</Code></Error>");
  });
  EXPECT_TRUE(asked.put(nullptr, "key", {}, data));
  auto refused = asked.put(nullptr, "key", {}, data);
  ASSERT_FALSE(refused) << "nothing got lost";
  EXPECT_FALSE(in_doubt(refused.failure()));
  EXPECT_EQ(store->methods(), (Methods{"PUT", "PUT", "HEAD", "PUT"}));
}

TEST_F(S3ClientTest, WhatIsThereIsNotOnesOwnBecauseItIsTheSame) {
  const auto data = std::as_bytes(std::span("data", 4));
  std::string there = etag_of(data);
  auto& asked = client([&](const auto& head) {
    return head.starts_with("HEAD") ? FakeStore::whole(200, "", "ETag: " + there + "\r\n")
                                    : FakeStore::whole(412, "<Error><Code>PreconditionFailed</Code></Error>");
  });
  EXPECT_EQ(asked.put(nullptr, "key", {}, data, true).failure().status, SP_E_EXISTS);
  there = etag_of_parts({etag_of(data)});
  EXPECT_EQ(asked.complete_parts(nullptr, "key", "u", {etag_of(data)}, true).failure().status, SP_E_EXISTS);
}

TEST_F(S3ClientTest, ALargeCopyGetsTheTimeThatItNeeds) {
  FakeStore slow([](const auto&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    return FakeStore::whole(200, "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>");
  });
  HttpClient::Settings hurried;
  hurried.timeout = std::chrono::seconds(1);
  S3Client asked(std::make_shared<HttpClient>(hurried), credentials, Bucket{"b", "r", "", slow.endpoint(), true},
                 {.retries = {.attempts = 1, .total = std::chrono::seconds(1)}});
  ObjectInfo large = object();
  EXPECT_FALSE(asked.copy(nullptr, "from", "to", large));
  large.size = std::uint64_t{1} << 30;
  EXPECT_TRUE(asked.copy(nullptr, "from", "to", large));
}

TEST_F(S3ClientTest, ACopyIsInDoubtWhenAnyOfItsAnswersGotLostAndNotWhenTheStoreHadNoTime) {
  int count = 0;
  std::string first;
  auto& asked = client([&](const auto&) {
    if (++count == 1) return first;
    return first.empty() ? FakeStore::whole(412, "<Error><Code>PreconditionFailed</Code></Error>") : first;
  });
  std::string perhaps;
  auto lost = asked.copy(nullptr, "from", "to", object(), nullptr, &perhaps);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.failure().status, SP_E_CONFLICT);
  EXPECT_TRUE(in_doubt(lost.failure()));
  EXPECT_EQ(perhaps, kEtag);
  first = FakeStore::whole(503, "<Error><Code>SlowDown</Code></Error>");
  auto refused = asked.copy(nullptr, "from", "to", object());
  ASSERT_FALSE(refused);
  EXPECT_FALSE(in_doubt(refused.failure()));
}

TEST_F(S3ClientTest, ABeginningWhoseAnswerGetsLostIsMadeAgainAndTheLostOneIsLookedFor) {
  int count = 0;
  const std::string begun = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
  // By the store's clock, which is told with every answer.
  const auto theirs = Poco::Timestamp() + Poco::Timespan(100, 0);
  const auto date = "Date: " + Poco::DateTimeFormatter::format(theirs, "%w, %d %b %Y %H:%M:%S GMT") + "\r\n";
  auto& asked = client([&](const auto& head) {
    if (head.starts_with("HEAD")) return FakeStore::whole(200, "", date);
    if (count < 0) return FakeStore::whole(403, "<Error><Code>AccessDenied</Code></Error>", date);
    return ++count == 1 ? FakeStore::whole(500, "<Error/>", date) : FakeStore::whole(200, begun, date);
  });
  ASSERT_TRUE(asked.head(nullptr, "key"));
  EXPECT_EQ(*asked.begin_parts(nullptr, "key", {}), "u");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].id, "");
  const std::int64_t about = theirs.epochMicroseconds() * 1000;
  EXPECT_LE(left[0].from_ns, about);
  EXPECT_GE(left[0].to_ns, about);
  count = -1;
  EXPECT_FALSE(asked.begin_parts(nullptr, "key", {}));
  EXPECT_EQ(left.size(), 1U) << "a refusal leaves no doubt";
}

TEST_F(S3ClientTest, OnlyUploadsOfThatKeyAndTimeWithoutPartsAreLost) {
  const auto upload = [](const std::string& key, const std::string& id, const std::string& second) {
    return "<Upload><Key>" + key + "</Key><UploadId>" + id + "</UploadId><Initiated>2030-01-01T00:00:" + second +
           ".000Z</Initiated></Upload>";
  };
  auto& asked = client([&](const std::string& head) {
    if (head.find("uploadId=full") != std::string::npos) {
      return FakeStore::whole(200, "<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>");
    }
    if (head.find("uploadId=") != std::string::npos) {
      return FakeStore::whole(200, "<ListPartsResult><UploadId>x</UploadId></ListPartsResult>");
    }
    return FakeStore::whole(200, "<ListMultipartUploadsResult>" + upload("key", "old", "01") +
                                     upload("key2", "other", "10") + upload("key", "full", "10") +
                                     upload("key", "lost", "11") + upload("key", "new", "30") +
                                     "</ListMultipartUploadsResult>");
  });
  const auto from = *parse_time("2030-01-01T00:00:09Z"), to = *parse_time("2030-01-01T00:00:12Z");
  auto found = asked.uploads_without_parts(nullptr, "key", from, to);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(*found, (std::vector<std::string>{"lost"}));
}

// However long its first part takes: whoever looks for one that was begun at the same time finds it without parts.
TEST_F(S3ClientTest, AnUploadThatSomebodyIsAboutToEndIsNotLost) {
  auto& asked = client([](const std::string& head) {
    if (head.starts_with("POST") && head.find("?uploads=") != std::string::npos) {
      return FakeStore::whole(200,
                              "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    if (head.starts_with("POST")) {
      return FakeStore::whole(200, "<CompleteMultipartUploadResult><Key>key</Key></CompleteMultipartUploadResult>");
    }
    if (head.starts_with("DELETE")) return FakeStore::whole(204, "");
    if (head.find("uploadId=") != std::string::npos)
      return FakeStore::whole(200, "<ListPartsResult></ListPartsResult>");
    return FakeStore::whole(200,
                            "<ListMultipartUploadsResult><Upload><Key>key</Key><UploadId>u</UploadId><Initiated>"
                            "2030-01-01T00:00:10Z</Initiated></Upload></ListMultipartUploadsResult>");
  });
  const auto lost = [&] {
    const auto from = *parse_time("2030-01-01T00:00:09Z"), to = *parse_time("2030-01-01T00:00:12Z");
    return asked.uploads_without_parts(nullptr, "key", from, to)->size();
  };
  for (const bool completed : {true, false}) {
    EXPECT_EQ(lost(), 1U);
    ASSERT_TRUE(asked.begin_parts(nullptr, "key", {}));
    EXPECT_EQ(lost(), 0U);
    if (completed) {
      ASSERT_TRUE(asked.complete_parts(nullptr, "key", "u", {kEtag}));
    } else {
      ASSERT_TRUE(asked.abort_parts(nullptr, "key", "u"));
    }
  }
  EXPECT_EQ(lost(), 1U);
}

TEST_F(S3ClientTest, AllBucketsOfAServiceAreOneStore) {
  const auto store_of = [](const char* bucket, const char* endpoint, bool in_path) {
    return Bucket{bucket, "r", "", *Endpoint::parse(endpoint), in_path}.service();
  };
  EXPECT_EQ(store_of("a", "https://a.s3.example:444", false), "s3.example:444");
  EXPECT_EQ(store_of("b.c", "https://b.c.s3.example:444", false), "s3.example:444");
  EXPECT_EQ(store_of("a", "https://s3.example:444", true), "s3.example:444");
  EXPECT_EQ(store_of("s3", "https://s3.example", true), "s3.example");
}

TEST_F(S3ClientTest, ErrorsNameOperationBucketCodeAndRequest) {
  auto& asked = client([](const auto&) {
    return FakeStore::whole(400, "<Error><Code>InvalidStorageClass</Code></Error>", "x-amz-request-id: tx7\r\n");
  });
  EXPECT_EQ(asked.put(nullptr, "key", asked.nature_of("key.txt"), {}).failure().message,
            "S3 PutObject in bucket \"b\" is answered 400 InvalidStorageClass (request tx7), with storage class "
            "\"CLASS\"");
  EXPECT_EQ(watched, (std::vector<std::pair<std::string, bool>>{{"PutObject", false}}));
}

}  // namespace
}  // namespace fs_s3
