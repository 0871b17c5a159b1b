// SPDX-License-Identifier: Apache-2.0
#include "host/app/hooks.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/app/files_limit.h"

namespace host::app {
namespace {

using Json = nlohmann::json;

std::vector<Json> settings_of(const std::vector<Instance>& instances) {
  std::vector<Json> out;
  for (const auto& each : instances) out.push_back(Json::parse(each.settings));
  return out;
}

std::vector<std::string> names_of(const std::vector<Instance>& instances) {
  std::vector<std::string> out;
  for (const auto& each : instances) out.push_back(each.plugin);
  return out;
}

TEST(Hooks, NothingByDefault) {
  EXPECT_TRUE(authenticator_instances({}).empty());
  EXPECT_TRUE(notifier_instances({}).empty());
}

TEST(Hooks, ExternalAuthenticationWinsForItsScope) {
  config::Config config;
  config.data_provider.external_auth_program = "/x";
  config.data_provider.pre_login_program = "http://h/p";
  config.data_provider.external_auth_scope = 1;
  config.sftpd.umask = 027;
  const auto files = files_limit_at_start();
  auto hooks = settings_of(authenticator_instances(config));
  ASSERT_EQ(hooks.size(), 2u);
  EXPECT_EQ(hooks[0],
            Json({{"hook", "external"}, {"program", "/x"}, {"methods", 1}, {"umask", "0027"}, {"open_files", files}}));
  EXPECT_EQ(
      hooks[1],
      Json({{"hook", "pre-login"}, {"url", "http://h/p"}, {"methods", 2}, {"umask", "0027"}, {"open_files", files}}));
  config.data_provider.external_auth_scope = 0;
  hooks = settings_of(authenticator_instances(config));
  ASSERT_EQ(hooks.size(), 1u);
  EXPECT_EQ(hooks[0]["methods"], 3) << "without a program nobody asks questions";
  config.sftpd.keyboard_interactive_auth_program = "/k";
  hooks = settings_of(authenticator_instances(config));
  ASSERT_EQ(hooks.size(), 2u);
  EXPECT_EQ(hooks[0]["methods"], 7);
  EXPECT_EQ(hooks[1]["hook"], "keyboard");
  EXPECT_EQ(hooks[1]["methods"], 4);
}

TEST(Hooks, OthersStandBeforeOrAfter) {
  config::Config config;
  config.data_provider.external_auth_program = "/x";
  config.plugins.authenticator["mine"] = R"({"a": 1})";
  config.plugins.authenticators = {"mine"};
  EXPECT_EQ(names_of(authenticator_instances(config)), (std::vector<std::string>{"auth-external", "mine"}));
  config.plugins.authenticators = {"mine", "auth-external", "third"};
  const auto instances = authenticator_instances(config);
  EXPECT_EQ(names_of(instances), (std::vector<std::string>{"mine", "auth-external", "third"}));
  EXPECT_EQ(settings_of(instances)[0], Json({{"a", 1}}));
  EXPECT_EQ(instances[0].where, "plugins.authenticator.mine");
}

TEST(Hooks, ActionsNeedEventsAndSomebodyToTell) {
  config::Config config;
  config.sftpd.actions.command = "/x";
  EXPECT_TRUE(notifier_instances(config).empty());
  config.sftpd.actions.execute_on = {"upload"};
  config.data_provider.actions.execute_on = {"add"};
  config.data_provider.actions.http_notification_url = "http://h/";
  const auto hooks = settings_of(notifier_instances(config));
  ASSERT_EQ(hooks.size(), 2u);
  EXPECT_EQ(hooks[0]["about"], "files");
  EXPECT_EQ(hooks[0]["command_seconds"], 30);
  EXPECT_EQ(hooks[1]["about"], "users");
  EXPECT_EQ(hooks[1]["command_seconds"], 15);
  EXPECT_EQ(hooks[1]["url"], "http://h/");
  EXPECT_EQ(hooks[0]["open_files"], files_limit_at_start());
}

TEST(Hooks, ACommandAndAServiceAreToldEachOnItsOwn) {
  config::Config config;
  config.sftpd.actions.execute_on = {"upload"};
  config.sftpd.actions.command = "/x";
  config.sftpd.actions.http_notification_url = "http://h/";
  const auto instances = notifier_instances(config);
  ASSERT_EQ(instances.size(), 2u);
  EXPECT_EQ(instances[0].where, "sftpd.actions.command");
  EXPECT_EQ(instances[1].where, "sftpd.actions.http_notification_url");
  const auto hooks = settings_of(instances);
  EXPECT_EQ(hooks[0]["command"], "/x");
  EXPECT_EQ(hooks[0]["url"], "");
  EXPECT_EQ(hooks[1]["command"], "");
  EXPECT_EQ(hooks[1]["url"], "http://h/");
}

TEST(Hooks, EventsThatNobodyIsToldOfAreNamed) {
  config::Config config;
  config.data_provider.actions.command = "/bin/sh";
  EXPECT_TRUE(action_warnings(config).empty()) << "how actions are switched off";
  config.sftpd.actions.execute_on = {"upload"};
  EXPECT_EQ(action_warnings(config),
            (std::vector<std::string>{"sftpd.actions.execute_on has no effect: neither sftpd.actions.command nor "
                                      "sftpd.actions.http_notification_url is set"}));
  config.sftpd.actions.http_notification_url = "http://h/";
  EXPECT_TRUE(action_warnings(config).empty());
}

TEST(Hooks, CommandsThatCannotBeRunAreNamed) {
  config::Config config;
  config.sftpd.actions.command = config.data_provider.actions.command = "/no/such/program";
  EXPECT_TRUE(action_warnings(config).empty()) << "nothing is to be run";
  config.sftpd.actions.execute_on = {"upload"};
  EXPECT_EQ(action_warnings(config), (std::vector<std::string>{"sftpd.actions.command: /no/such/program cannot be run: "
                                                               "No such file or directory"}));
  config.data_provider.actions.execute_on = {"add"};
  EXPECT_EQ(action_warnings(config).size(), 2u);
  config.sftpd.actions.command = config.data_provider.actions.command = "/bin/sh";
  EXPECT_TRUE(action_warnings(config).empty());
}

TEST(Hooks, LoginProgramsThatCannotBeRunAreNamed) {
  config::Config config;
  config.data_provider.external_auth_program = "/no/such/program";
  config.data_provider.pre_login_program = "/no/such/other";
  config.sftpd.keyboard_interactive_auth_program = "http://h/";
  EXPECT_EQ(login_program_problems(config),
            (std::vector<std::string>{"data_provider.external_auth_program: /no/such/program cannot be run: No such "
                                      "file or directory"}))
      << "the other is never asked, and a service is no program";
  config.data_provider.external_auth_program = "/";
  EXPECT_EQ(login_program_problems(config),
            (std::vector<std::string>{"data_provider.external_auth_program: / cannot be run: it is a directory"}));
  config.data_provider.external_auth_program = "/bin/sh";
  EXPECT_TRUE(login_program_problems(config).empty());
}

}  // namespace
}  // namespace host::app
