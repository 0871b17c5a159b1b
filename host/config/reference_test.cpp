// SPDX-License-Identifier: Apache-2.0
#include "host/config/reference.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "host/config/assign_json.h"
#include "host/config/keys.h"

namespace host::config {
namespace {

std::string content(const std::string& path) {
  std::ifstream in(std::string(SALLYPORT_SOURCE_DIR) + "/" + path);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

TEST(Reference, PageInTheTreeIsUpToDate) {
  EXPECT_EQ(content("docs/configuration.md"), reference_page())
      << "write it anew: sallyport check-config --reference > docs/configuration.md";
}

TEST(Reference, SampleFileIsCleanAndComplete) {
  Config config;
  Findings findings;
  const auto tree = Tree::parse(content("docs/sallyport.json"));
  assign_tree(config, tree, "sample", findings);
  EXPECT_TRUE(findings.problems.empty()) << findings.problems[0];
  EXPECT_TRUE(findings.warnings.empty()) << findings.warnings[0];
  for (const Key& key : keys()) {
    const Tree* at = &tree;
    std::stringstream path{std::string(key.path)};
    for (std::string part; at != nullptr && std::getline(path, part, '.');)
      at = at->contains(part) ? &(*at)[part] : nullptr;
    EXPECT_NE(at, nullptr) << key.path;
    if (key.path == "data_provider.name" || key.path == "data_provider.track_quota") continue;
    EXPECT_EQ(value_text(config, key), value_text(Config(), key)) << key.path << " is not the default";
  }
}

TEST(Keys, TableIsWellFormed) {
  std::set<std::string_view> paths;
  for (const Key& key : keys()) {
    EXPECT_TRUE(paths.insert(key.path).second) << key.path << " is listed twice";
    EXPECT_FALSE(key.doc.empty()) << key.path;
    EXPECT_FALSE(is_section(key.path)) << key.path;
  }
}

TEST(Keys, EachHasItsOwnMember) {
  Config config;
  std::set<const void*> members;
  for (const Key& key : keys()) {
    const void* member = std::visit([&](auto get) -> const void* { return &get(config); }, key.target);
    EXPECT_TRUE(members.insert(member).second) << key.path << " shares its member";
  }
}

TEST(Keys, DefaultsSatisfyTheirOwnRules) {
  for (const Key& key : keys()) {
    Config config;
    Findings findings;
    assign_value(config, key, Tree::parse(value_text(Config(), key)), "default", findings);
    EXPECT_TRUE(findings.problems.empty()) << findings.problems[0];
    EXPECT_EQ(value_text(config, key), value_text(Config(), key));
  }
}

TEST(ValuesInForce, BlankSecretsAndMarkChanges) {
  Config config;
  config.data_provider.password = "hunter2";
  config.sftpd.bind_port = 2222;
  const auto text = values_in_force(config);
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
  EXPECT_NE(text.find("* data_provider.password = [redacted]\n"), std::string::npos);
  EXPECT_NE(text.find("* sftpd.bind_port = 2222\n"), std::string::npos);
  EXPECT_NE(text.find("  sftpd.umask = \"0022\"\n"), std::string::npos);
}

TEST(ValuesInForce, OfUrlsTheServerOnly) {
  Config config;
  config.data_provider.external_auth_program = "https://me:hunter2@auth.test:8443/hunter2?key=hunter2#hunter2";
  config.data_provider.pre_login_program = "/opt/hook.sh";
  config.sftpd.actions.http_notification_url = "http://plain.test";
  const auto text = values_in_force(config);
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  for (const char* line : {"* data_provider.external_auth_program = \"https://[redacted]@auth.test:8443/[redacted]\"\n",
                           "* data_provider.pre_login_program = \"/opt/hook.sh\"\n",
                           "* sftpd.actions.http_notification_url = \"http://plain.test\"\n"})
    EXPECT_NE(text.find(line), std::string::npos) << text;
}

TEST(ShownValue, NothingOfARefusedUrlThatMayBeASecret) {
  for (const char* path : {"sftpd.actions.http_notification_url", "sftpd.keyboard_interactive_auth_program"}) {
    for (const char* bad : {"htp://me:hunter2@h/x", "me:hunter2@h", "hooks.test/hunter2", "h?hunter2",
                            "ftp://h/hunter2", "://hunter2@", "http:\\\\hunter2", "x://a@hunter2@h/"}) {
      Config config;
      Findings findings;
      assign_value(config, *find_key(path), Tree(bad), "here", findings);
      ASSERT_EQ(findings.problems.size(), 1u) << bad;
      EXPECT_EQ(findings.problems[0].find("hunter2"), std::string::npos) << findings.problems[0];
    }
    Config config;
    Findings findings;
    assign_value(config, *find_key(path), Tree::parse(R"([{"url": "hunter2"}])"), "here", findings);
    ASSERT_EQ(findings.problems.size(), 1u);
    EXPECT_EQ(findings.problems[0].find("hunter2"), std::string::npos) << findings.problems[0];
  }
}

}  // namespace
}  // namespace host::config
