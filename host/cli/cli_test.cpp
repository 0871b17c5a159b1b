// SPDX-License-Identifier: Apache-2.0
#include "host/cli/cli.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "host/app/version.h"
#include "host/config/reference.h"

namespace host::cli {
namespace {

struct Outcome {
  int code;
  std::string out, err;
};

Outcome sallyport(std::vector<const char*> words) {
  words.insert(words.begin(), "sallyport");
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int code = run(static_cast<int>(words.size()), words.data());
  return {code, testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
}

TEST(CommandLine, Version) {
  for (const auto* flag : {"-v", "--version"}) {
    const auto outcome = sallyport({flag});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.out, "Sallyport version: " + app::version() + "\n");
  }
}

TEST(CommandLine, HelpComesOnStandardOutput) {
  for (const auto& words : {std::vector<const char*>{}, {"-h"}, {"--help"}, {"help"}}) {
    const auto outcome = sallyport(words);
    EXPECT_EQ(outcome.code, 0);
    EXPECT_NE(outcome.out.find("initprovider"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.err, "");
  }
  EXPECT_NE(sallyport({"serve", "--help"}).out.find("--log-max-backups"), std::string::npos);
  EXPECT_NE(sallyport({"help", "user", "add"}).out.find("--password-stdin"), std::string::npos);
  EXPECT_NE(sallyport({"help", "user", "add"}).out.find("Usage: sallyport user add ["), std::string::npos);
  EXPECT_NE(sallyport({"user"}).out.find("Usage: sallyport user ["), std::string::npos);
  const auto group = sallyport({"user"});
  EXPECT_EQ(group.code, 0);
  EXPECT_NE(group.out.find("delete"), std::string::npos);
}

TEST(CommandLine, UsageErrors) {
  const struct {
    std::vector<const char*> words;
    const char* message;
  } rows[] = {
      {{"frobnicate"}, "Error: unknown command \"frobnicate\" for \"sallyport\""},
      {{"serve", "extra"}, "unknown command \"extra\" for \"sallyport serve\""},
      {{"user", "frobnicate"}, "unknown command \"frobnicate\" for \"sallyport user\""},
      {{"serve", "--frob=1"}, "Error: unknown flag: --frob\n"},
      {{"--frob"}, "unknown flag: --frob"},
      {{"serve", "-x"}, "unknown shorthand flag: 'x' in -x"},
      {{"user", "show"}, "NAME is required"},
      {{"user", "update", "x", "--status="}, "--status: found \"\", allowed is a whole number"},
      {{"user", "update", "x", "--uid", ""}, "--uid: found \"\", allowed is a whole number"},
      {{"user", "update", "x", "--gid", "1x"}, "--gid: found \"1x\", allowed is a whole number"},
      {{"serve", "-s", "ten"}, "ten"},
      {{"serve", "-s", "-1"}, "-1"},
      {{"serve", "-b", "-1"}, "-1"},
      {{"serve", "--log-max-age=-1"}, "-1"},
      {{"help", "frobnicate"}, "unknown command \"frobnicate\""},
      {{"user", "add", "x", "--password-stdin", "--password-file", "f"}, "excludes"},
  };
  for (const auto& row : rows) {
    const auto outcome = sallyport(row.words);
    EXPECT_EQ(outcome.code, 1) << row.message;
    EXPECT_NE(outcome.err.find(row.message), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CommandLine, PortableNamesItsOptions) {
  const std::pair<std::vector<const char*>, const char*> rows[] = {
      {{"portable", "--permissions", "lst"}, "invalid permission: \"lst\" (--permissions; there are *, list"},
      {{"portable", "--bind-address", "localhost"}, "--bind-address: found \"localhost\", allowed is "},
      {{"portable", "--ssh-commands", "ls"}, "--ssh-commands: found \"ls\", allowed is "},
      {{"portable", "--password-file", ""}, "--password-file: found \"\", allowed is the name of a file"},
  };
  for (const auto& [words, message] : rows) {
    const auto outcome = sallyport(words);
    EXPECT_EQ(outcome.code, 1) << message;
    EXPECT_NE(outcome.err.find(message), std::string::npos) << outcome.err;
  }
}

TEST(CommandLine, ADirectoryThatIsNotThereIsNamed) {
  for (const auto& words : {std::vector<const char*>{"initprovider"}, {"user", "list"}, {"check-config"}}) {
    auto with_directory = words;
    with_directory.insert(with_directory.end(), {"-c", "/nonexistent/place"});
    const auto outcome = sallyport(with_directory);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.err, "Error: /nonexistent/place: no such configuration directory\n");
  }
}

// With an unusable directory: shows which command ran without starting anything.
TEST(CommandLine, NamesOfCommandsCanBeUserNames) {
  const auto outcome = sallyport({"user", "show", "-c", "/nonexistent", "-f", "none", "list"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("no configuration file none.json"), std::string::npos) << outcome.err;
}

TEST(CommandLine, ServeTellsWhyItCannotStart) {
  const auto outcome = sallyport({"serve", "--log-file-path=", "-c", "/nonexistent/place"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "sallyport cannot start: /nonexistent/place: no such configuration directory\n");
}

TEST(CommandLine, ServeTellsABrokenConfigurationInTheLogToo) {
  std::string pattern = (std::filesystem::temp_directory_path() / "cli_test_XXXXXX").string();
  const std::string dir = ::mkdtemp(pattern.data());
  std::ofstream(dir + "/sallyport.json") << R"({"sftpd": {"bind_port": "x"}})";
  const auto outcome = sallyport({"serve", "-c", dir.c_str()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("sftpd.bind_port: found \"x\""), std::string::npos) << outcome.err;
  std::ifstream log(dir + "/sallyport.log");
  const std::string text{std::istreambuf_iterator<char>(log), {}};
  EXPECT_NE(text.find("sftpd.bind_port: found \\\"x\\\""), std::string::npos) << text;
  std::filesystem::remove_all(dir);
}

TEST(CommandLine, WrongEnvironmentStopsServeOnly) {
  ::setenv("SFTPGO_LOG_MAX_SIZE", "ten", 1);
  EXPECT_EQ(sallyport({"--version"}).code, 0);
  const auto outcome = sallyport({"serve"});
  ::unsetenv("SFTPGO_LOG_MAX_SIZE");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.err.find("SFTPGO_LOG_MAX_SIZE: found \"ten\""), std::string::npos) << outcome.err;
}

TEST(CommandLine, ReferenceIsThePage) {
  EXPECT_EQ(sallyport({"check-config", "--reference"}).out, config::reference_page());
}

}  // namespace
}  // namespace host::cli
