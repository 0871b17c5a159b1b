// SPDX-License-Identifier: Apache-2.0
//
// Whose leftovers stay on the list, whose are looked after first, and what becomes of those that have no name.
#include "leftovers.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fake_store_test.h"
#include "quiet_host_test.h"

namespace fs_s3 {
namespace {

class LeftoversTest : public testing::Test {
 protected:
  std::shared_ptr<S3Client> client(const std::string& store_name, const Endpoint& endpoint,
                                   const S3Client::Options& options = {}) {
    return std::make_shared<S3Client>(std::make_shared<HttpClient>(HttpClient::Settings{}),
                                      std::make_shared<GivenCredentials>(Credentials{"K", "S", ""}),
                                      Bucket{store_name, "r", "", endpoint, true}, options);
  }
  std::ptrdiff_t stays(const std::string& bucket) {
    const auto lines = host.lines();
    return std::ranges::count_if(lines, [&](const auto& line) { return line.find(bucket) != std::string::npos; });
  }
  LoggingHost host;
  FakeStore one{[](const auto&) { return FakeStore::whole(204, ""); }};
  FakeStore other{[](const auto&) { return FakeStore::whole(204, ""); }};
};

TEST_F(LeftoversTest, TheStoreWithMostOfThemMakesRoom) {
  Leftovers list(host.host, 4);
  const auto many = client("crowd", one.endpoint()), few = client("single", other.endpoint());
  for (int i = 0; i < 5; ++i) list.add(many, {.key = "k", .id = "crowd" + std::to_string(i)});
  EXPECT_EQ(stays("crowd"), 1) << "the fifth is one too many";
  list.add(few, {.key = "k", .id = "few0"});
  list.add(few, {.key = "k", .id = "few1"});
  EXPECT_EQ(stays("crowd"), 3);
  EXPECT_EQ(stays("single"), 0);
  list.add(few, {.key = "k", .id = "few2"});
  EXPECT_EQ(stays("single"), 1) << "each has half by now";
}

// From the beginning whose answer gets lost to its end: neither the one that was begun instead nor one with parts is
// taken for it.
TEST_F(LeftoversTest, AnUploadWhoseIdNobodyHeardIsFoundAndTakenBack) {
  int begun = 0;
  const auto now = Poco::DateTimeFormatter::format(Poco::Timestamp(), "%Y-%m-%dT%H:%M:%SZ");
  const auto upload = [&](const std::string& key, const std::string& id) {
    return "<Upload><Key>" + key + "</Key><UploadId>" + id + "</UploadId><Initiated>" + now + "</Initiated></Upload>";
  };
  FakeStore store([&](const std::string& head) {
    if (head.starts_with("DELETE ")) return FakeStore::whole(204, "");
    if (head.starts_with("POST ") && begun++ == 0) return std::string();
    if (head.starts_with("POST ")) {
      return FakeStore::whole(
          200, "<InitiateMultipartUploadResult><UploadId>mine</UploadId></InitiateMultipartUploadResult>");
    }
    if (head.find("uploadId=full") != std::string::npos) {
      return FakeStore::whole(200, "<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>");
    }
    if (head.find("uploadId=") != std::string::npos)
      return FakeStore::whole(200, "<ListPartsResult></ListPartsResult>");
    return FakeStore::whole(200, "<ListMultipartUploadsResult>" + upload("key", "lost") + upload("key", "full") +
                                     upload("key", "mine") + upload("key2", "other") + "</ListMultipartUploadsResult>");
  });
  std::vector<LeftUpload> left;
  S3Client::Options options;
  options.retries = {.attempts = 3, .first = std::chrono::milliseconds(1)};
  options.left = [&](auto, const LeftUpload& lost) { left.push_back(lost); };
  const auto asked = client("b", store.endpoint(), options);
  ASSERT_EQ(*asked->begin_parts(nullptr, "key", {}), "mine");
  ASSERT_EQ(left.size(), 1U);
  const auto of = [&](const std::string& method) {
    std::vector<std::string> found;
    for (const auto& head : store.heads()) {
      if (head.starts_with(method)) found.push_back(head.substr(0, head.find("\r\n")));
    }
    return found;
  };
  { Leftovers(host.host).add(asked, left[0]); }
  EXPECT_EQ(of("GET "), std::vector<std::string>{}) << "within that time it may be that of somebody else";
  EXPECT_EQ(stays("\"b\""), 1) << "so it stays when the server stops";
  {
    Leftovers list(host.host, Leftovers::kMost, std::chrono::seconds(0));
    list.add(asked, left[0]);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (of("DELETE ").empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }
  EXPECT_EQ(of("DELETE "), (std::vector<std::string>{"DELETE /b/key?uploadId=lost HTTP/1.1"}));
}

// One that does not answer is asked about one of them, and then the others have their turn.
TEST_F(LeftoversTest, AStoreThatDoesNotAnswerKeepsNoOtherWaiting) {
  FakeStore silent([](const auto&) { return std::string(); });
  const auto dead = client("dead", silent.endpoint()), good = client("good", other.endpoint());
  Leftovers list(host.host);
  for (int i = 0; i < 50; ++i) list.add(dead, {.key = "k", .id = "dead" + std::to_string(i)});
  list.add(good, {.key = "k", .id = "good"});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (other.heads().empty() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  ASSERT_FALSE(other.heads().empty());
  std::vector<std::string> ids;
  for (const auto& head : silent.heads()) ids.push_back(head.substr(0, head.find("\r\n")));
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  EXPECT_LE(ids.size(), 2U);
}

TEST_F(LeftoversTest, LostUploadsAreLookedForPageByPageUpToALimit) {
  int pages = 0, last = 3;
  FakeStore store([&](const std::string& head) {
    if (head.find("uploadId=") != std::string::npos)
      return FakeStore::whole(200, "<ListPartsResult></ListPartsResult>");
    const bool goes_on = head.find("key-marker=k%0B&") != std::string::npos &&
                         head.find("upload-id-marker=u" + std::to_string(pages) + "&") != std::string::npos;
    if (pages++ > 0 && !goes_on) return FakeStore::whole(400, "<Error/>");
    const std::string id = "u" + std::to_string(pages);
    const std::string upload = "<Upload><Key>k&#x0b;</Key><UploadId>" + id +
                               "</UploadId><Initiated>2030-01-01T00:00:" + (pages == last ? "10" : "20") +
                               "Z</Initiated></Upload>";
    const std::string next =
        "<NextKeyMarker>k&#x0b;</NextKeyMarker><NextUploadIdMarker>" + id + "</NextUploadIdMarker>";
    return FakeStore::whole(200, "<ListMultipartUploadsResult>" + next + "<IsTruncated>" +
                                     (pages == last ? "false" : "true") + "</IsTruncated>" + upload +
                                     "</ListMultipartUploadsResult>");
  });
  const auto asked = client("b", store.endpoint());
  const auto from = *parse_time("2030-01-01T00:00:09Z"), to = *parse_time("2030-01-01T00:00:12Z");
  auto found = asked->uploads_without_parts(nullptr, "k\x0b", from, to);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(*found, (std::vector<std::string>{"u3"}));
  pages = 0;
  last = 11;
  EXPECT_FALSE(asked->uploads_without_parts(nullptr, "k\x0b", from, to)) << "nobody looked at all of them";
  EXPECT_EQ(pages, 10);
}

}  // namespace
}  // namespace fs_s3
