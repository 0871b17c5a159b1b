// SPDX-License-Identifier: Apache-2.0
//
// The parts that need no store: names, settings, answers, places of credentials.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "credentials.h"
#include "encoding.h"
#include "endpoint.h"
#include "keys.h"
#include "s3_error.h"
#include "settings.h"
#include "xml.h"

namespace fs_s3 {
namespace {

TEST(Keys, PrefixIsAWall) {
  const auto keys = Keys::within("team/a").value();
  EXPECT_EQ(keys.prefix(), "team/a/");
  EXPECT_EQ(keys.file("/x/y"), "team/a/x/y");
  EXPECT_EQ(keys.directory("/x"), "team/a/x/");
  EXPECT_EQ(keys.directory("/"), "team/a/");
  EXPECT_EQ(Keys::within("x/../y")->prefix(), "y/");
  EXPECT_EQ(Keys::within("")->prefix(), "");
  EXPECT_EQ(Keys::within("")->file("/x"), "x");
  EXPECT_FALSE(Keys::within("/x"));
  EXPECT_FALSE(Keys::within("x/../.."));
}

TEST(EndpointTest, Forms) {
  const auto plain = Endpoint::parse("http://127.0.0.1:7480").value();
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.authority(), "127.0.0.1:7480");
  EXPECT_EQ(Endpoint::parse("https://s3.example")->authority(), "s3.example");
  EXPECT_EQ(Endpoint::parse("s3.example:444")->authority(), "s3.example:444");
  EXPECT_TRUE(Endpoint::parse("s3.example")->tls);
  EXPECT_EQ(Endpoint::parse("http://[::1]:7480")->authority(), "[::1]:7480");
  EXPECT_EQ(Endpoint::parse("https://[fd00::1]")->authority(), "[fd00::1]");
  EXPECT_EQ(Endpoint::parse("https://[fd00::1]")->host, "fd00::1");
  for (const auto* wrong : {"", "ftp://x", "https://x/path", "https://user:secret@x", "https://x?y"}) {
    EXPECT_FALSE(Endpoint::parse(wrong)) << wrong;
  }
}

TEST(EndpointTest, ProxyVariables) {
  ::setenv("https_proxy", "http://me:pw@proxy.example:3128", 1);
  ::setenv("no_proxy", "localhost, .inside.example", 1);
  const auto proxy = proxy_for(Endpoint::parse("https://s3.example").value());
  ASSERT_TRUE(proxy);
  EXPECT_EQ(proxy->host, "proxy.example");
  EXPECT_EQ(proxy->port, 3128);
  EXPECT_EQ(proxy->user, "me");
  EXPECT_EQ(proxy->password, "pw");
  EXPECT_FALSE(proxy_for(Endpoint::parse("https://b.inside.example").value()));
  EXPECT_FALSE(proxy_for(Endpoint::parse("https://localhost").value()));
  for (const auto* near :
       {"https://127.0.0.1:9", "https://169.254.169.254", "https://[fd00:ec2::254]", "https://[::1]"}) {
    EXPECT_FALSE(proxy_for(Endpoint::parse(near).value())) << near;
  }
  ::unsetenv("https_proxy");
  ::unsetenv("no_proxy");
}

TEST(Account, WhereItsBucketIs) {
  auto of = [](const char* json, bool in_host) { return AccountSettings::parse(json, in_host); };
  auto known = of(R"({"bucket": "b", "region": "eu-west-1"})", false);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->bucket.endpoint.host, "b.s3.eu-west-1.amazonaws.com");
  EXPECT_FALSE(known->bucket.in_path);
  EXPECT_FALSE(known->credentials);
  auto chinese = of(R"({"bucket": "b", "region": "cn-north-1"})", false);
  EXPECT_EQ(chinese->bucket.endpoint.host, "b.s3.cn-north-1.amazonaws.com.cn");
  auto dotted = of(R"({"bucket": "a.b", "region": "eu-west-1"})", false);
  EXPECT_TRUE(dotted->bucket.in_path);
  auto own =
      of(R"({"bucket": "b", "region": "r", "endpoint": "http://s:1", "access_key": "k", "access_secret": "s"})", false);
  EXPECT_TRUE(own->bucket.in_path);
  EXPECT_EQ(own->credentials->secret, "s");
  auto host = of(R"({"bucket": "b", "region": "r", "endpoint": "http://s:1"})", true);
  EXPECT_EQ(host->bucket.endpoint.host, "b.s");
  EXPECT_FALSE(of(R"({"bucket": "b", "region": "r", "access_key": "k"})", false));
  EXPECT_FALSE(of(R"({"bucket": "b", "region": "r", "key_prefix": "../x"})", false));
  EXPECT_FALSE(of(R"({"bucket": "b"})", false));
}

TEST(Settings, AnUploadMustFitIntoTheMemory) {
  const auto with = [](int part, int memory) {
    return Settings::parse(R"({"part_size_mib": )" + std::to_string(part) + R"(, "max_memory_mib": )" +
                           std::to_string(memory) +
                           R"(, "upload_concurrency": 2, "download_chunk_mib": 4, "download_concurrency": 4,
                           "threads": 4, "connect_timeout": 10, "timeout": 30, "attempts": 5, "rename_max_keys": 10,
                           "mtime_in_metadata": "off", "resume_uploads": false, "virtual_host": false, "ca_file": ""})");
  };
  auto usual = with(8, 1024);
  ASSERT_TRUE(usual);
  EXPECT_EQ(usual->user_memory_bytes(), std::size_t{256} << 20);
  EXPECT_EQ(usual->upload.max_part_bytes, std::size_t{256} << 20);
  EXPECT_TRUE(with(300, 900));
  EXPECT_EQ(with(300, 899).failure().message,
            "max_memory_mib: found 899, wanted at least 900: part_size_mib times one more than upload_concurrency");
}

TEST(Etags, OfWhatIsMadeOfParts) {
  EXPECT_EQ(etag_of_parts({"\"d41d8cd98f00b204e9800998ecf8427e\"", "d41d8cd98f00b204e9800998ecf8427e"}),
            "\"5873dd45edd01f09c1ef2e7819369e8e-2\"");
  EXPECT_EQ(etag_of_parts({"\"no digest\""}), "");
}

TEST(Xml, PathsAndTexts) {
  std::vector<std::string> seen;
  EXPECT_TRUE(parse_xml("<a xmlns=\"urn:x\"><b>1 &amp; 2</b><c><b>3</b></c></a>",
                        [&](auto path, const auto& text) { seen.push_back(std::string(path) + "=" + text); }));
  EXPECT_EQ(seen, (std::vector<std::string>{"a/b=1 & 2", "a/c/b=3", "a/c=", "a="}));
}

TEST(Xml, HostileTexts) {
  const auto nothing = [](auto, const auto&) {};
  EXPECT_FALSE(parse_xml("", nothing));
  EXPECT_FALSE(parse_xml("<a><b></a>", nothing));
  EXPECT_FALSE(parse_xml("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", nothing));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_FALSE(parse_xml(deep, nothing));
  EXPECT_FALSE(parse_xml("<a>" + std::string(100'000, 'x') + "</a>", nothing));
}

HttpAnswer answer(int status, const std::string& code) {
  return {status, {{"x-amz-request-id", "tx1"}}, "<Error><Code>" + code + "</Code><Message>m</Message></Error>"};
}

TEST(Errors, MeaningAndWords) {
  const auto denied = failure_of(read_error(answer(403, "SignatureDoesNotMatch")));
  EXPECT_EQ(denied.status, SP_E_DENIED);
  EXPECT_EQ(denied.message, "is answered 403 SignatureDoesNotMatch (request tx1)");
  EXPECT_EQ(failure_of(read_error(answer(404, "NoSuchKey"))).status, SP_E_NOT_FOUND);
  EXPECT_EQ(failure_of(read_error(answer(404, "NoSuchBucket"))).status, SP_E_IO) << "is logged";
  EXPECT_EQ(failure_of(read_error({404, {}, ""})).status, SP_E_NOT_FOUND);
  EXPECT_EQ(failure_of(read_error(answer(412, "PreconditionFailed"))).status, SP_E_CONFLICT);
  EXPECT_TRUE(may_pass(read_error(answer(503, "SlowDown"))));
  EXPECT_TRUE(may_pass(read_error(answer(400, "RequestTimeout"))));
  EXPECT_FALSE(may_pass(read_error(answer(403, "AccessDenied"))));
  EXPECT_TRUE(hides_error({200, {}, "<?xml version=\"1.0\"?><Error><Code>InternalError</Code></Error>"}));
}

TEST(CredentialFiles, Profiles) {
  const std::string text =
      "# mine\n[default]\naws_access_key_id = A\naws_secret_access_key=S\n\n"
      "[profile other]\naws_access_key_id=B\naws_secret_access_key = T "
      "\naws_session_token=tok\n[half]\naws_access_key_id=C\n";
  Profiles all;
  read_profiles(text, all);
  EXPECT_EQ(credentials_in(all["default"])->secret, "S");
  EXPECT_EQ(credentials_in(all["other"])->access_key, "B");
  EXPECT_EQ(credentials_in(all["other"])->secret, "T");
  EXPECT_EQ(credentials_in(all["other"])->session_token, "tok");
  EXPECT_FALSE(credentials_in(all["half"]));
  EXPECT_FALSE(all.contains("none"));
  read_profiles("[default]\naws_secret_access_key = later\nregion = eu\ns3 =\n  region = of another tool\n", all);
  EXPECT_EQ(setting(all["default"], "aws_secret_access_key"), "S") << "the first file counts";
  EXPECT_EQ(setting(all["default"], "region"), "eu");
}

TEST(CredentialAnswers, OfContainersAndInstances) {
  const auto found = credentials_from_json(
      R"({"AccessKeyId": "A", "SecretAccessKey": "S", "Token": "t", "Expiration": "2030-01-01T00:00:00Z"})");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->credentials.session_token, "t");
  EXPECT_TRUE(found->until);
  EXPECT_FALSE(credentials_from_json("{}"));
  EXPECT_FALSE(credentials_from_json("no"));
}

}  // namespace
}  // namespace fs_s3
