// SPDX-License-Identifier: Apache-2.0
//
// The vectors that AWS has published: its signature test suite, and the examples in the description of S3's requests.
#include "sigv4.h"

#include <gtest/gtest.h>

#include "encoding.h"

namespace fs_s3 {
namespace {

const Credentials kSuite{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
const Scope kSuiteScope{"us-east-1", "service"};
constexpr std::string_view kSuiteTime = "20150830T123600Z";

const Credentials kS3{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
const Scope kS3Scope{"us-east-1", "s3"};
constexpr std::string_view kS3Time = "20130524T000000Z";

std::string signature(const std::string& header) { return header.substr(header.rfind('=') + 1); }

std::string of_suite(std::string method, std::string path, std::vector<std::pair<std::string, std::string>> query) {
  const SignedRequest request{std::move(method),
                              std::move(path),
                              std::move(query),
                              {{"host", "example.amazonaws.com"}, {"x-amz-date", std::string(kSuiteTime)}},
                              sha256_hex("")};
  return authorization(request, kSuite, kSuiteScope, kSuiteTime);
}

std::string of_s3(std::string method, std::string path, std::vector<std::pair<std::string, std::string>> query,
                  std::map<std::string, std::string> headers, std::string_view body) {
  headers["host"] = "examplebucket.s3.amazonaws.com";
  headers["x-amz-date"] = kS3Time;
  headers["x-amz-content-sha256"] = sha256_hex(body);
  const SignedRequest request{std::move(method), std::move(path), std::move(query), std::move(headers),
                              sha256_hex(body)};
  return authorization(request, kS3, kS3Scope, kS3Time);
}

TEST(SigV4, SuiteGetVanilla) {
  EXPECT_EQ(of_suite("GET", "/", {}),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(SigV4, SuitePostVanilla) {
  EXPECT_EQ(signature(of_suite("POST", "/", {})), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(SigV4, SuiteQueryInOrderOfKeys) {
  EXPECT_EQ(signature(of_suite("GET", "/", {{"Param2", "value2"}, {"Param1", "value1"}})),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(SigV4, SuiteUtf8Path) {
  EXPECT_EQ(signature(of_suite("GET", uri_encode("/\xe1\x88\xb4", true), {})),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

TEST(SigV4, S3GetObjectWithRange) {
  EXPECT_EQ(signature(of_s3("GET", "/test.txt", {}, {{"range", "bytes=0-9"}}, "")),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(SigV4, S3PutObjectWithOddKey) {
  const auto header = of_s3("PUT", uri_encode("/test$file.text", true), {},
                            {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                            "Welcome to Amazon S3.");
  EXPECT_EQ(signature(header), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, S3SubresourceWithoutValue) {
  EXPECT_EQ(signature(of_s3("GET", "/", {{"lifecycle", ""}}, {}, "")),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4, S3ListObjects) {
  EXPECT_EQ(signature(of_s3("GET", "/", {{"max-keys", "2"}, {"prefix", "J"}}, {}, "")),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, SpacesInHeadersCountOnce) {
  const SignedRequest request{"GET", "/", {}, {{"host", "h"}, {"my-header1", "  value1  and   more "}}, "x"};
  EXPECT_EQ(canonical_request(request), "GET\n/\n\nhost:h\nmy-header1:value1 and more\n\nhost;my-header1\nx");
}

TEST(Encoding, NamesInAddresses) {
  EXPECT_EQ(uri_encode("a b+c&d/e~\xc3\xa9%20", true), "a%20b%2Bc%26d/e~%C3%A9%2520");
  EXPECT_EQ(uri_encode("a/b"), "a%2Fb");
  EXPECT_EQ(uri_decode("a%20b+c%C3%a9").value(), "a b c\xc3\xa9");
  EXPECT_FALSE(uri_decode("a%2"));
  EXPECT_FALSE(uri_decode("%zz"));
}

TEST(Encoding, Times) {
  EXPECT_EQ(parse_time("Wed, 21 Oct 2015 07:28:00 GMT").value(), 1445412480LL * 1'000'000'000);
  EXPECT_EQ(parse_time("2015-10-21T07:28:00.000Z").value(), 1445412480LL * 1'000'000'000);
  EXPECT_FALSE(parse_time("yesterday"));
}

}  // namespace
}  // namespace fs_s3
