// SPDX-License-Identifier: Apache-2.0
#include "host/config/environment_json.h"

#include <gtest/gtest.h>

namespace host::config {
namespace {

struct Outcome {
  Config config;
  Findings findings;
};

Outcome with(std::vector<const char*> variables) {
  variables.push_back(nullptr);
  Outcome outcome;
  assign_environment(outcome.config, variables.data(), outcome.findings);
  return outcome;
}

std::string problem(const char* variable) {
  const auto outcome = with({variable});
  return outcome.findings.problems.size() == 1 ? outcome.findings.problems[0] : "not one problem";
}

TEST(Environment, SetsKeysThatNoFileHas) {
  const auto outcome = with({"HOME=/root", "SFTPGO_SFTPD__BIND_PORT=2222", "SFTPGO_SFTPD__UMASK=027",
                             "SFTPGO_SFTPD__ACTIONS__EXECUTE_ON=upload, download", "SFTPGO_SFTPD__FAST_SOCKET=0",
                             "SFTPGO_SFTPD__KEYS=a,b", "SFTPGO_DATA_PROVIDER__PASSWORD=a=b"});
  EXPECT_TRUE(outcome.findings.problems.empty());
  EXPECT_TRUE(outcome.findings.warnings.empty());
  EXPECT_EQ(outcome.config.sftpd.bind_port, 2222);
  EXPECT_EQ(outcome.config.sftpd.umask, 027u);
  EXPECT_EQ(outcome.config.sftpd.actions.execute_on, (std::vector<std::string>{"upload", "download"}));
  EXPECT_FALSE(outcome.config.sftpd.fast_socket);
  EXPECT_EQ(outcome.config.sftpd.keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(outcome.config.data_provider.password, "a=b");
}

TEST(Environment, AnEmptyTextIsAValue) {
  const auto outcome = with({"SFTPGO_HTTPD__BIND_ADDRESS=", "SFTPGO_SFTPD__ENABLED_SSH_COMMANDS="});
  EXPECT_EQ(outcome.config.httpd.bind_address, "");
  EXPECT_TRUE(outcome.config.sftpd.enabled_ssh_commands.empty());
  EXPECT_EQ(problem("SFTPGO_SFTPD__BIND_PORT="),
            "SFTPGO_SFTPD__BIND_PORT: sftpd.bind_port: found \"\", allowed is a whole number from 0 to 65535");
}

TEST(Environment, WrongValuesNameTheVariable) {
  EXPECT_TRUE(
      problem("SFTPGO_SFTPD__BIND_PORT=12x").starts_with("SFTPGO_SFTPD__BIND_PORT: sftpd.bind_port: found \"12x\""));
  EXPECT_TRUE(problem("SFTPGO_SFTPD__FAST_SOCKET=yes").ends_with("allowed is true or false"));
  EXPECT_TRUE(problem("SFTPGO_PLUGINS__STORAGE=hunter2").find("hunter2") == std::string::npos);
}

TEST(Environment, UnknownKeysWarn) {
  const auto outcome = with({"SFTPGO_SFTPD__BIND_PROT=1", "SFTPGO_CONFIG_DIR=/x", "OTHER__KEY=1"});
  ASSERT_EQ(outcome.findings.warnings.size(), 1u);
  EXPECT_EQ(outcome.findings.warnings[0],
            "SFTPGO_SFTPD__BIND_PROT: unknown key sftpd.bind_prot, did you mean sftpd.bind_port?");
}

TEST(Environment, PluginSettings) {
  const auto outcome = with({R"(SFTPGO_PLUGINS__STORAGE__FS_LOCAL={"a": 1})", "SFTPGO_PLUGINS__STORAGE__FS_LOCAL__B=2",
                             "SFTPGO_PLUGINS__STORAGE__FS_LOCAL__SECRET_KEY=text",
                             "SFTPGO_PLUGINS__SHA256__FS_LOCAL="
                             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"});
  EXPECT_TRUE(outcome.findings.problems.empty());
  EXPECT_EQ(outcome.config.plugins.storage.at("fs-local"), R"({"a":1,"b":2,"secret_key":"text"})");
  EXPECT_EQ(outcome.config.plugins.sha256.count("fs-local"), 1u);
}

}  // namespace
}  // namespace host::config
