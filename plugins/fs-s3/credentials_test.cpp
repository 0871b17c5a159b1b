// SPDX-License-Identifier: Apache-2.0
//
// Where a machine's credentials come from, asked of places that a test makes.
#include "credentials.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "fake_store_test.h"

namespace fs_s3 {
namespace {

using Methods = std::vector<std::string>;

// Nothing of the machine that runs the tests is seen, and what a test sets is gone after it.
class MachineCredentialsTest : public testing::Test {
 protected:
  MachineCredentialsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "s3_credentials_XXXXXX").string();
    home = ::mkdtemp(pattern.data());
    for (const char* name :
         {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME",
          "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_PROFILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_REGION",
          "AWS_DEFAULT_REGION", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
          "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_ENDPOINT_URL_STS",
          "AWS_EC2_METADATA_SERVICE_ENDPOINT"}) {
      ::unsetenv(name);
    }
    set("HOME", home);
    set("AWS_EC2_METADATA_DISABLED", "true");
  }
  ~MachineCredentialsTest() override {
    for (const auto& name : names) ::unsetenv(name.c_str());
    std::filesystem::remove_all(home);
  }
  void set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    names.push_back(name);
  }
  std::string file(const std::string& name, const std::string& text) {
    const auto path = std::filesystem::path(home) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path;
  }
  static std::string keys(const std::string& until, const std::string& key = "A") {
    return R"({"AccessKeyId": ")" + key + R"(", "SecretAccessKey": "S", "Token": "t", "Expiration": ")" + until + "\"}";
  }
  static std::string of_role(const std::string& key) {
    return "<R><X><Credentials><AccessKeyId>" + key +
           "</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>t</SessionToken>"
           "<Expiration>2035-01-01T00:00:00Z</Expiration></Credentials></X></R>";
  }
  std::string home;
  std::vector<std::string> names;
};

TEST_F(MachineCredentialsTest, OldOnesStayUntilThereAreNewOnesAndAFailureIsRemembered) {
  const auto soon = Poco::DateTimeFormatter::format(Poco::Timestamp() + Poco::Timespan(120, 0), "%Y-%m-%dT%H:%M:%SZ");
  bool works = false;
  FakeStore container(
      [&](const auto&) { return works ? FakeStore::whole(200, keys(soon)) : FakeStore::whole(500, ""); });
  set("http_proxy", "http://127.0.0.1:9");
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url() + "/keys");
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
}

TEST_F(MachineCredentialsTest, AWebIdentityGetsThoseOfItsRole) {
  FakeStore service([](const auto&) { return FakeStore::whole(200, of_role("WEB")); });
  set("AWS_ENDPOINT_URL_STS", service.url());
  set("AWS_ROLE_ARN", "arn:aws:iam::1:role/x");
  set("AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "tok.en\n"));
  MachineCredentials machine({});
  auto found = machine.get(nullptr);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(found->access_key, "WEB");
  EXPECT_EQ(found->session_token, "t");
  ASSERT_TRUE(machine.get(nullptr));
  EXPECT_EQ(service.methods(), (Methods{"POST"})) << "they hold for years";
  EXPECT_EQ(service.bodies().at(0),
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&RoleSessionName=sallyport&"
            "Version=2011-06-15&WebIdentityToken=tok.en");
  EXPECT_EQ(service.heads().at(0).find("authorization"), std::string::npos) << "the token is all there is";
}

// Each is asked for only when none before it has any.
TEST_F(MachineCredentialsTest, OfSeveralPlacesTheFirstWithKeysCounts) {
  FakeStore places([](const std::string& head) {
    if (head.starts_with("POST /")) return FakeStore::whole(200, of_role("WEB"));
    if (head.starts_with("GET /container")) return FakeStore::whole(200, keys("2035-01-01T00:00:00Z", "CONTAINER"));
    if (head.starts_with("PUT /latest/api/token")) return FakeStore::whole(200, "session");
    return FakeStore::whole(
        200, head.find("/my-role ") != std::string::npos ? keys("2035-01-01T00:00:00Z", "INSTANCE") : "my-role\n");
  });
  const auto environment = [&] {
    set("AWS_ACCESS_KEY_ID", "ENVIRONMENT");
    set("AWS_SECRET_ACCESS_KEY", "S");
  };
  const auto credentials_file = [&] {
    file(".aws/credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = S\n");
  };
  const auto config_file = [&] {
    file(".aws/config", "[default]\naws_access_key_id = CONFIG\naws_secret_access_key = S\n");
  };
  const auto web_identity = [&] {
    set("AWS_ENDPOINT_URL_STS", places.url());
    set("AWS_ROLE_ARN", "arn");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "tok.en"));
    file(".aws/config", "[default]\nregion = eu\n");  // a profile without keys is none that counts
  };
  const auto container = [&] { set("AWS_CONTAINER_CREDENTIALS_FULL_URI", places.url() + "/container"); };
  const auto instance = [&] {
    set("AWS_EC2_METADATA_DISABLED", "false");
    set("AWS_EC2_METADATA_SERVICE_ENDPOINT", places.url());
  };
  // From the last to the first: whatever comes anew stands before all that is there already.
  struct Step {
    const char* winner;
    std::function<void()> add;
    Methods asked;
  };
  const std::vector<Step> steps{{"INSTANCE", instance, {"PUT", "GET", "GET"}},
                                {"CONTAINER", container, {"GET"}},
                                {"WEB", web_identity, {"POST"}},
                                {"CONFIG", config_file, {}},
                                {"FILE", credentials_file, {}},
                                {"ENVIRONMENT", environment, {}}};
  Methods asked;
  for (const auto& step : steps) {
    step.add();
    auto found = MachineCredentials({}).get(nullptr);
    ASSERT_TRUE(found) << step.winner << ": " << found.failure().message;
    EXPECT_EQ(found->access_key, step.winner);
    asked.insert(asked.end(), step.asked.begin(), step.asked.end());
    EXPECT_EQ(places.methods(), asked) << step.winner;
  }
}

// Whoever has gone waits for no role: of a web identity, of a profile with one, of a profile taken by another's keys.
TEST_F(MachineCredentialsTest, NobodyWhoHasGoneWaitsForASilentTokenService) {
  std::atomic<int> asked = 0, turn = 0;
  FakeStore service([&](const auto&) {
    const int now = turn;
    ++asked;
    while (turn == now) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return std::string();
  });
  set("AWS_ENDPOINT_URL_STS", service.url());
  const std::string token = file("token", "tok.en");
  const auto web_identity = [&] {
    set("AWS_ROLE_ARN", "arn");
    set("AWS_WEB_IDENTITY_TOKEN_FILE", token);
  };
  const auto profile_with_token = [&] {
    file(".aws/config", "[default]\nrole_arn = r\nweb_identity_token_file = " + token + "\n");
  };
  const auto profile_with_source = [&] {
    file(".aws/config", "[default]\nrole_arn = r\nsource_profile = base\n");
    file(".aws/credentials", "[base]\naws_access_key_id = B\naws_secret_access_key = S\n");
  };
  for (const std::function<void()>& source :
       {std::function<void()>(web_identity), {profile_with_token}, {profile_with_source}}) {
    source();
    asked = 0;
    const auto start = std::chrono::steady_clock::now();
    auto found = MachineCredentials({}).get([&] { return asked > 0; });
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
    ++turn;
    EXPECT_EQ(asked, 1);
    EXPECT_TRUE(!found && found.failure().status == SP_E_CANCELLED);
  }
}

TEST_F(MachineCredentialsTest, ARefusedIdentityIsToldWithoutItsToken) {
  FakeStore service([](const auto&) {
    return FakeStore::whole(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>");
  });
  set("AWS_ENDPOINT_URL_STS", service.url());
  set("AWS_ROLE_ARN", "arn");
  set("AWS_WEB_IDENTITY_TOKEN_FILE", file("token", "secrettoken"));
  auto refused = MachineCredentials({}).get(nullptr);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().status, SP_E_DENIED);
  EXPECT_NE(refused.failure().message.find("403 AccessDenied"), std::string::npos) << refused.failure().message;
  EXPECT_EQ(refused.failure().message.find("secrettoken"), std::string::npos);
}

TEST_F(MachineCredentialsTest, AProfileTakesItsRoleWithTheKeysOfAnother) {
  FakeStore service([](const auto& head) {
    const bool base = head.find("Credential=BASE/") != std::string::npos;
    return FakeStore::whole(200, of_role(base ? "MIDDLE" : "TOP"));
  });
  set("AWS_ENDPOINT_URL_STS", service.url());
  set("AWS_PROFILE", "top");
  file(".aws/credentials", "[base]\naws_access_key_id=BASE\naws_secret_access_key=S\n");
  file(".aws/config",
       "[profile middle]\nrole_arn=m\nsource_profile=base\nregion=eu\n"
       "[profile top]\nrole_arn=t\nsource_profile=middle\nexternal_id=e\n");
  auto found = MachineCredentials({}).get(nullptr);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(found->access_key, "TOP");
  ASSERT_EQ(service.heads().size(), 2U);
  EXPECT_NE(service.heads()[0].find("/eu/sts/aws4_request"), std::string::npos);
  EXPECT_NE(service.heads()[1].find("Credential=MIDDLE/"), std::string::npos);
  EXPECT_NE(service.bodies()[1].find("ExternalId=e"), std::string::npos);
  file(".aws/config",
       "[profile top]\nrole_arn=t\nsource_profile=other\n[profile other]\nrole_arn=o\nsource_profile=top\n");
  EXPECT_FALSE(MachineCredentials({}).get(nullptr)) << "they refer to each other";
}

TEST_F(MachineCredentialsTest, AProfileThatIsNotThereIsNotPassedOver) {
  file(".aws/credentials", "[default]\naws_access_key_id = D\naws_secret_access_key = S\n");
  MachineCredentials machine{HttpClient::Settings{}};
  set("AWS_PROFILE", "typo");
  auto found = machine.get(nullptr);
  ASSERT_FALSE(found);
  EXPECT_NE(found.failure().message.find("\"typo\""), std::string::npos) << found.failure().message;
  MachineCredentials other{HttpClient::Settings{}};
  set("AWS_PROFILE", "default");
  EXPECT_EQ(other.get(nullptr)->access_key, "D");
}

TEST_F(MachineCredentialsTest, TheTokenOfAContainerGoesToNoOtherMachine) {
  set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secrettoken");
  for (const auto* elsewhere : {"http://192.0.2.1/keys", "http://store.example/keys"}) {
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", elsewhere);
    auto refused = MachineCredentials({}).get(nullptr);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.failure().message.find("nor over TLS"), std::string::npos) << refused.failure().message;
  }
  FakeStore here([](const auto&) { return FakeStore::whole(200, keys("2035-01-01T00:00:00Z")); });
  set("AWS_CONTAINER_CREDENTIALS_FULL_URI", here.url() + "/keys");
  ASSERT_TRUE(MachineCredentials({}).get(nullptr));
  EXPECT_EQ(FakeStore::header(here.heads().at(0), "Authorization"), "secrettoken");
}

TEST_F(MachineCredentialsTest, AnInstanceIsAskedForATokenFirst) {
  FakeStore instance([](const std::string& head) {
    if (head.starts_with("PUT /latest/api/token")) return FakeStore::whole(200, "session");
    if (FakeStore::header(head, "X-aws-ec2-metadata-token") != "session") return FakeStore::whole(401, "");
    return FakeStore::whole(
        200, head.find("credentials/my-role ") != std::string::npos ? keys("2035-01-01T00:00:00Z") : "my-role\n");
  });
  set("AWS_EC2_METADATA_DISABLED", "false");
  set("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance.url() + "/");
  auto found = MachineCredentials({}).get(nullptr);
  ASSERT_TRUE(found) << found.failure().message;
  EXPECT_EQ(found->access_key, "A");
  EXPECT_EQ(instance.methods(), (Methods{"PUT", "GET", "GET"}));
}

}  // namespace
}  // namespace fs_s3
