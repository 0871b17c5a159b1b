// SPDX-License-Identifier: Apache-2.0
//
// What requests an upload becomes.
#include "s3_upload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "fake_store_test.h"
#include "quiet_host_test.h"
#include "shared.h"

namespace fs_s3 {
namespace {

using Requests = std::vector<std::string>;

Settings small_parts() {
  Settings settings;
  settings.upload = {.part_bytes = 6, .concurrency = 1, .max_parts = 100, .min_part_bytes = 4};
  settings.memory_bytes = 1 << 20;
  settings.threads = 2;
  return settings;
}

class S3UploadTest : public testing::Test {
 protected:
  std::string answer(const std::string& head) {
    if (!refused.empty() && head.find(refused) != std::string::npos) {
      return FakeStore::whole(403, "<Error><Code>AccessDenied</Code></Error>");
    }
    if (!unanswered.empty() && head.find(unanswered) != std::string::npos) return "";
    if (head.starts_with("GET")) return FakeStore::whole(200, "abc");
    if (head.starts_with("HEAD")) {
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"e\"\r\nContent-Length: " + std::to_string(stored) +
             "\r\n\r\n";
    }
    if (head.find("?uploads=") != std::string::npos) {
      return FakeStore::whole(200,
                              "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    }
    if (head.starts_with("POST")) {
      return FakeStore::whole(200, "<CompleteMultipartUploadResult><Key>to</Key></CompleteMultipartUploadResult>");
    }
    if (head.find("x-amz-copy-source-range") != std::string::npos) {
      return FakeStore::whole(200, "<CopyPartResult><ETag>e</ETag></CopyPartResult>");
    }
    return FakeStore::whole(200, "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>", "ETag: \"e\"\r\n");
  }
  // Of each request the method, what it is about and what it brings.
  Requests requests() {
    Requests all;
    const auto heads = store.heads(), bodies = store.bodies();
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const auto space = heads[i].find(' ');
      std::string text = heads[i].substr(0, heads[i].find(' ', space + 1));
      for (const char* name :
           {"range", "x-amz-copy-source", "x-amz-copy-source-range", "x-amz-metadata-directive", "x-amz-meta-mtime"}) {
        const auto value = FakeStore::header(heads[i], name);
        if (!value.empty()) text += " " + value;
      }
      if (heads[i].starts_with("PUT") && !bodies[i].empty()) text += " [" + bodies[i] + "]";
      all.push_back(text);
    }
    return all;
  }
  void append(const std::string& text) {
    auto done = upload.append(nullptr, std::as_bytes(std::span(text)));
    ASSERT_TRUE(done) << done.failure().message;
  }
  bool copy(std::uint64_t offset, std::uint64_t length) {
    return *upload.append_copy(nullptr, {"from", "\"f\"", offset, length}, 20);
  }
  void finish() {
    auto done = upload.finish(nullptr);
    ASSERT_TRUE(done) << done.failure().message;
  }

  std::uint64_t stored = 0;
  std::string refused, unanswered;  // requests with this in their heads
  FakeStore store{[this](const std::string& head) { return answer(head); }};
  const sp_host host = quiet_host();
  Shared shared{host, small_parts()};
  std::shared_ptr<S3Client> client =
      std::make_shared<S3Client>(shared.http, std::make_shared<GivenCredentials>(Credentials{"K", "S", ""}),
                                 Bucket{"b", "r", "", store.endpoint(), true}, S3Client::Options{});
  S3Upload upload{shared, shared.memory, client, "to"};
};

TEST_F(S3UploadTest, AWholeObjectIsCopiedInOneRequestHoweverItIsAskedFor) {
  EXPECT_TRUE(copy(0, 7));
  EXPECT_TRUE(copy(7, 13));
  EXPECT_EQ(upload.size(), 20U);
  EXPECT_EQ(requests(), Requests{});
  finish();
  EXPECT_EQ(requests(), (Requests{"PUT /b/to /b/from REPLACE"}));
}

TEST_F(S3UploadTest, ARangeIsAPartAndDataGoesBehindIt) {
  EXPECT_TRUE(copy(2, 8));
  append("xyz");
  EXPECT_EQ(upload.size(), 11U);
  finish();
  EXPECT_EQ(requests(), (Requests{"POST /b/to?uploads=", "PUT /b/to?partNumber=1&uploadId=u /b/from bytes=2-9",
                                  "PUT /b/to?partNumber=2&uploadId=u [xyz]", "POST /b/to?uploadId=u"}));
}

// Copies in one request know no such condition everywhere.
TEST_F(S3UploadTest, AWholeObjectThatMustReplaceNoneIsPublishedWithThatCondition) {
  upload.only_new();
  EXPECT_TRUE(copy(0, 20));
  finish();
  EXPECT_EQ(requests(), (Requests{"POST /b/to?uploads=", "PUT /b/to?partNumber=1&uploadId=u /b/from bytes=0-19",
                                  "POST /b/to?uploadId=u"}));
  EXPECT_EQ(FakeStore::header(store.heads().at(2), "if-none-match"), "*");
}

TEST_F(S3UploadTest, WhatIsPublishedIsAParentOfNothing) {
  const std::string name = client->whole_name("to");
  const auto before = shared.parents_seen.forgotten();
  shared.parents_seen.add(name, before);
  append("xy");
  finish();
  EXPECT_FALSE(shared.parents_seen.knows(name));
  shared.parents_seen.add(name, before);
  EXPECT_FALSE(shared.parents_seen.knows(name)) << "seen before it was published";
}

TEST_F(S3UploadTest, ASmallRangeBeforeDataIsRead) {
  EXPECT_TRUE(copy(0, 3));
  append("xy");
  finish();
  EXPECT_EQ(requests(), (Requests{"GET /b/from bytes=0-2", "PUT /b/to [abcxy]"}));
}

TEST_F(S3UploadTest, BehindLittleDataNothingIsCopied) {
  append("xy");
  EXPECT_FALSE(copy(0, 8));
  append("zz");
  EXPECT_TRUE(copy(0, 2)) << "enough for a part";
  finish();
  EXPECT_EQ(requests(), (Requests{"POST /b/to?uploads=", "PUT /b/to?partNumber=1&uploadId=u [xyzz]",
                                  "PUT /b/to?partNumber=2&uploadId=u /b/from bytes=0-1", "POST /b/to?uploadId=u"}));
}

TEST_F(S3UploadTest, ATimeGoesWithTheObjectOrAfterIt) {
  upload.set_mtime(1'500'000'000);
  append("xy");
  finish();
  EXPECT_EQ(requests(), (Requests{"PUT /b/to 1.5 [xy]"}));
}

TEST_F(S3UploadTest, ATimeThatComesAfterTheFirstPartCostsACopy) {
  append("0123456");
  upload.set_mtime(2'000'000'000);
  stored = 7;
  finish();
  EXPECT_EQ(requests(), (Requests{"POST /b/to?uploads=", "PUT /b/to?partNumber=1&uploadId=u [012345]",
                                  "PUT /b/to?partNumber=2&uploadId=u [6]", "POST /b/to?uploadId=u", "HEAD /b/to",
                                  "PUT /b/to /b/to REPLACE 2"}));
}

TEST_F(S3UploadTest, WhatIsContinuedBeginsWithWhatIsThere) {
  upload.go_on({.size = 8, .etag = "\"e\"", .nature = {{"content-type", "text/x"}, {"x-amz-meta-mtime", "7"}}});
  EXPECT_EQ(upload.size(), 8U);
  append("new");
  finish();
  EXPECT_EQ(requests(), (Requests{"POST /b/to?uploads=", "PUT /b/to?partNumber=1&uploadId=u /b/to bytes=0-7",
                                  "PUT /b/to?partNumber=2&uploadId=u [new]", "POST /b/to?uploadId=u"}));
  EXPECT_EQ(FakeStore::header(store.heads().at(0), "content-type"), "text/x");
}

// Whatever the client does next: the object that is there must not be replaced by what was to follow it.
TEST_F(S3UploadTest, WhatCannotBeContinuedIsNotReplaced) {
  for (const auto& [size, no] : {std::pair(8, "?uploads="), std::pair(3, "GET ")}) {
    refused = no;
    S3Upload broken(shared, shared.memory, client, "to");
    broken.go_on({.size = static_cast<std::uint64_t>(size), .etag = "\"e\""});
    const std::string more = "more";
    EXPECT_FALSE(broken.append(nullptr, std::as_bytes(std::span(more))));
    EXPECT_FALSE(broken.append(nullptr, std::as_bytes(std::span(more))));
    EXPECT_FALSE(broken.finish(nullptr));
  }
  for (const auto& request : requests()) EXPECT_FALSE(request.starts_with("PUT")) << request;
}

// The store may have the part all the same, and later than it was told that the upload is over.
TEST_F(S3UploadTest, APartWhoseAnswerGotLostIsLookedForOnceMoreAtTheStopAtTheLatest) {
  for (const bool lost : {false, true}) {
    unanswered = lost ? "partNumber=1" : "";
    const auto before = requests().size();
    const auto seen = [&](const std::string& text) {
      const auto all = requests();
      return std::count_if(all.begin() + static_cast<std::ptrdiff_t>(before), all.end(),
                           [&](const auto& request) { return request.find(text) != std::string::npos; });
    };
    {
      Shared own{host, small_parts()};
      S3Upload given_up(own, own.memory, client, "to");
      const std::string text = "0123456";
      ASSERT_TRUE(given_up.append(nullptr, std::as_bytes(std::span(text))));
      while (seen("partNumber=1") == 0) std::this_thread::yield();
      given_up.abort();
      EXPECT_EQ(seen("DELETE /b/to?uploadId=u"), 1);
    }
    EXPECT_GE(seen("DELETE /b/to?uploadId=u"), lost ? 2 : 1);  // its answer may come too late even where one comes
  }
}

TEST_F(S3UploadTest, WhatIsContinuedByNothingStaysAsItIs) {
  upload.go_on({.size = 8, .etag = "\"e\""});
  finish();
  EXPECT_EQ(requests(), Requests{});
}

TEST(Mtime, ComesBackAsItWasKept) {
  for (const auto& [ns, text] :
       std::vector<std::pair<std::int64_t, std::string>>{{0, "0"},
                                                         {1'354'040'105'123'456'789, "1354040105.123456789"},
                                                         {1'500'000'000, "1.5"},
                                                         {-1'500'000'000, "-1.5"}}) {
    Nature nature;
    keep_mtime(nature, ns);
    EXPECT_EQ(nature["x-amz-meta-mtime"], text);
    EXPECT_EQ(kept_mtime(nature), ns);
  }
  EXPECT_EQ(kept_mtime({{"x-amz-meta-mtime", "1.1234567891234"}}), 1'123'456'789) << "written by a finer clock";
  for (const char* wrong : {"", "x", "1.", "1.x", "--1", "99999999999999999999"}) {
    const auto found = kept_mtime({{"x-amz-meta-mtime", wrong}});
    EXPECT_TRUE(!found || std::string(wrong) == "1.") << wrong;
  }
}

}  // namespace
}  // namespace fs_s3
