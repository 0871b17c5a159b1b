// SPDX-License-Identifier: Apache-2.0
#include "host/config/config.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>

#include "host/config/changes.h"
#include "host/config/nearest.h"

namespace host::config {
namespace {

namespace fs = std::filesystem;
using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

class ConfigTest : public testing::Test {
 protected:
  ConfigTest() {
    std::string pattern = (fs::temp_directory_path() / "config_test_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ConfigTest() override { fs::remove_all(directory_); }

  fs::path write(const std::string& name, const std::string& text) {
    auto file = directory_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }
  core::Result<Loaded> load_text(const std::string& text) {
    write("sallyport.json", text);
    return load(directory_, "", nullptr);
  }
  std::string problem(const std::string& text) {
    const auto loaded = load_text(text);
    return loaded ? "no problem" : loaded.error().text;
  }

  fs::path directory_;
};

AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return AssertionSuccess();
  return AssertionFailure() << "\"" << part << "\" is not in: " << text;
}

TEST_F(ConfigTest, NoFileMeansDefaults) {
  const auto loaded = load(directory_, "", nullptr);
  ASSERT_TRUE(loaded);
  EXPECT_TRUE(loaded->config.file.empty());
  EXPECT_EQ(loaded->config.sftpd.bind_port, 2022);
  EXPECT_EQ(loaded->config.data_provider.track_quota, 1);
  EXPECT_TRUE(loaded->warnings.empty());
}

TEST_F(ConfigTest, NamedFileMustExist) {
  const auto loaded = load(directory_, "other", nullptr);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().status, core::Status::kNotFound);
  EXPECT_TRUE(contains(loaded.error().text, "other.json"));
}

TEST_F(ConfigTest, FindsOwnNameFirstThenTheReplacedOne) {
  const auto replaced = write("sftpgo.json", "{}");
  EXPECT_EQ(load(directory_, "", nullptr)->config.file, replaced);
  const auto own = write("sallyport.json", "{}");
  EXPECT_EQ(load(directory_, "", nullptr)->config.file, own);
  EXPECT_EQ(load(directory_, "sftpgo", nullptr)->config.file, replaced);
  EXPECT_EQ(load(directory_, "sftpgo.json", nullptr)->config.file, replaced);
}

TEST_F(ConfigTest, LooksInTheHomeDirectoryToo) {
  const auto file = write("home/.config/sftpgo/special.json", "{}");
  const std::string home = "HOME=" + (directory_ / "home").string();
  const char* environment[] = {home.c_str(), nullptr};
  const auto loaded = load(directory_ / "elsewhere", "special", environment);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.file, file);
  EXPECT_EQ(loaded->config.dir, directory_ / "elsewhere");
}

TEST_F(ConfigTest, EveryTypeIsRead) {
  const auto loaded = load_text(R"({
    "SFTPD": {"Bind_Port": 2222, "umask": "0077", "fast_socket": false, "ciphers": ["aes256-ctr"], "max_auth_tries": -1,
              "keys": [{"private_key": "a"}, "b"]},
    "data_provider": {"name": "x.db", "password": null},
    "plugins": {"storage": {"fs-local": {"a": 1}}, "sha256": {"fs-local":
                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"}}})");
  ASSERT_TRUE(loaded) << loaded.error().text;
  const auto& config = loaded->config;
  EXPECT_EQ(config.sftpd.bind_port, 2222);
  EXPECT_EQ(config.sftpd.umask, 0077u);
  EXPECT_FALSE(config.sftpd.fast_socket);
  EXPECT_EQ(config.sftpd.ciphers, std::vector<std::string>{"aes256-ctr"});
  EXPECT_EQ(config.sftpd.max_auth_tries, -1);
  EXPECT_EQ(config.sftpd.keys, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.data_provider.name, "x.db");
  EXPECT_EQ(config.plugins.storage.at("fs-local"), R"({"a":1})");
  EXPECT_EQ(config.plugins.sha256.size(), 1u);
}

TEST_F(ConfigTest, ListsReplaceTheDefault) {
  EXPECT_EQ(load_text(R"({"sftpd": {"enabled_ssh_commands": ["cd"]}})")->config.sftpd.enabled_ssh_commands,
            std::vector<std::string>{"cd"});
  EXPECT_TRUE(load_text(R"({"sftpd": {"enabled_ssh_commands": []}})")->config.sftpd.enabled_ssh_commands.empty());
}

TEST_F(ConfigTest, WrongTypesAndValuesStopTheStart) {
  const struct {
    const char *section, *value, *problem;
  } rows[] = {
      {"sftpd", R"("bind_port": "2022")",
       R"(sftpd.bind_port: found "2022", allowed is a whole number from 0 to 65535)"},
      {"sftpd", R"("bind_port": 65536)", "found 65536"},
      {"sftpd", R"("bind_port": -1)", "found -1"},
      {"sftpd", R"("bind_port": 1.5)", "found 1.5"},
      {"sftpd", R"("bind_port": 18446744073709551615)", "found 18446744073709551615"},
      {"sftpd", R"("fast_socket": 1)", "allowed is true or false"},
      {"sftpd", R"("umask": 18)", R"(octal digits as text from "0000" to "0777")"},
      {"sftpd", R"("umask": "1000")", R"(found "1000")"},
      {"sftpd", R"("umask": "0o22")", R"(found "0o22")"},
      {"sftpd", R"("upload_mode": 3)", "from 0 to 2"},
      {"sftpd", R"("ciphers": "aes256-ctr")", "allowed is a list of: algorithm names"},
      {"sftpd", R"("ciphers": ["a,b"])", "algorithm names"},
      {"sftpd", R"("keys": [{"public_key": "x"}])", R"(a list of: text or {"private_key": text})"},
      {"sftpd", R"("keys": [""])", "found"},
      {"sftpd", R"("enabled_ssh_commands": ["ls"])", "scp, md5sum"},
      {"sftpd", R"("bind_address": "localhost")", "an IPv4 or IPv6 address"},
      {"sftpd", R"("actions": 3)", "sftpd.actions must be an object"},
      {"sftpd", R"("actions": {"command": "relative"})", "an absolute path"},
      {"data_provider", R"("driver": "../evil")", "lower-case letters"},
      {"plugins", R"("sha256": {"x": "abc"})", "64 hexadecimal digits"},
      {"plugins", R"("storage": {"x": 1})", "objects"},
  };
  for (const auto& row : rows) {
    const auto text = problem("{\"" + std::string(row.section) + "\": {" + row.value + "}}");
    EXPECT_TRUE(contains(text, row.problem));
    EXPECT_TRUE(contains(text, (directory_ / "sallyport.json").string()));
  }
}

TEST_F(ConfigTest, AllProblemsAreTold) {
  const auto text = problem(R"({"sftpd": {"bind_port": "x", "setstat_mode": 7}, "httpd": []})");
  EXPECT_TRUE(contains(text, "sftpd.bind_port"));
  EXPECT_TRUE(contains(text, "sftpd.setstat_mode"));
  EXPECT_TRUE(contains(text, "httpd must be an object"));
}

TEST_F(ConfigTest, SecretsStayOutOfMessages) {
  const auto text =
      problem(R"({"data_provider": {"password": ["hunter2"]}, "plugins": {"storage": {"s3": "hunter2"}}})");
  EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  EXPECT_TRUE(contains(text, "data_provider.password: found [redacted]"));
}

TEST_F(ConfigTest, BrokenFilesAreTold) {
  EXPECT_TRUE(contains(problem("{\n  \"sftpd\": {,}\n}"), "no valid JSON at line 2, column 13"));
  EXPECT_TRUE(contains(problem("[]"), "holds no object"));
  EXPECT_TRUE(contains(problem(R"({"sftpd": {"banner": "a", "banner": "b"}})"), "\"banner\" is given twice"));
  EXPECT_TRUE(contains(problem(R"({"sftpd": {"banner": "a", "Banner": "b"}})"), "sftpd.banner is given twice"));
  EXPECT_TRUE(contains(problem(""), "no valid JSON"));
}

TEST_F(ConfigTest, UnknownKeysWarnAndSuggest) {
  const auto loaded = load_text(R"({"sftpd": {"bind_prt": 1, "frobnicate": 2}, "bind_port": 3, "sftp": {}})");
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->warnings.size(), 4u);
  EXPECT_TRUE(contains(loaded->warnings[0], "unknown key sftpd.bind_prt, did you mean sftpd.bind_port?"));
  EXPECT_TRUE(loaded->warnings[1].ends_with("unknown key sftpd.frobnicate"));
  EXPECT_TRUE(contains(loaded->warnings[2], "did you mean sftpd.bind_port?"));
  EXPECT_TRUE(contains(loaded->warnings[3], "unknown section sftp, did you mean sftpd?"));
}

TEST_F(ConfigTest, UnknownSectionsWarnAndSuggest) {
  const std::pair<const char*, const char*> rows[] = {
      {"sftp", "sftpd"}, {"SFTPDD", "sftpd"},   {"data_provder", "data_provider"}, {"dataprovider", "data_provider"},
      {"http", "httpd"}, {"plugin", "plugins"}, {"actions", "sftpd.actions"},      {"ciphers", "sftpd.ciphers"}};
  for (const auto& [typed, meant] : rows) {
    const auto loaded = load_text("{\"" + std::string(typed) + "\": {\"x\": 1}}");
    ASSERT_TRUE(loaded && loaded->warnings.size() == 1) << typed;
    EXPECT_TRUE(loaded->warnings[0].ends_with(", did you mean " + std::string(meant) + "?")) << loaded->warnings[0];
  }
  const auto nested = load_text(R"({"sftpd": {"action": {}}, "webdavd": {}})");
  EXPECT_TRUE(contains(nested->warnings[0], "unknown section sftpd.action, did you mean sftpd.actions?"));
  EXPECT_TRUE(nested->warnings[1].ends_with("unknown section webdavd"));
}

TEST_F(ConfigTest, NearestKey) {
  EXPECT_EQ(nearest_key("data_provider.drivr"), "data_provider.driver");
  EXPECT_EQ(nearest_key("sftpd.host_keys"), "");
  EXPECT_EQ(nearest_key(std::string(1000, 'x')), "");
}

TEST_F(ConfigTest, HooksAreProgramsOrUrls) {
  for (const auto* good : {"", "/x", "http://h/x", "https://h"}) {
    EXPECT_TRUE(load_text("{\"data_provider\": {\"pre_login_program\": \"" + std::string(good) + "\"}}")) << good;
  }
  for (const auto* bad : {"x", "ftp://h", "./x"}) {
    EXPECT_TRUE(contains(problem("{\"data_provider\": {\"pre_login_program\": \"" + std::string(bad) + "\"}}"),
                         "an absolute path or an http:// or https:// URL"))
        << bad;
  }
}

TEST_F(ConfigTest, NetworksAreChecked) {
  for (const auto* good : {"192.0.2.7", "10.0.0.0/8", "2001:db8::/32", "::1", "0.0.0.0/0"}) {
    EXPECT_TRUE(load_text("{\"sftpd\": {\"proxy_allowed\": [\"" + std::string(good) + "\"]}}")) << good;
  }
  for (const auto* bad :
       {"", "here", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129", "10.0.0.0/8 ", "10.0.0.0/-1"}) {
    const auto text = problem("{\"sftpd\": {\"proxy_allowed\": [\"" + std::string(bad) + "\"]}}");
    EXPECT_TRUE(contains(text, "sftpd.proxy_allowed: found [\"" + std::string(bad) + "\"], allowed is")) << text;
  }
}

TEST_F(ConfigTest, ChangesAreSortedByWhatTheyNeed) {
  const Config old;
  Config changed;
  EXPECT_TRUE(changes(old, changed).live.empty() && changes(old, changed).needs_restart.empty());
  changed.sftpd.idle_timeout = 1;
  changed.defender.denied = {"192.0.2.7"};
  changed.sftpd.bind_port = 1;
  changed.data_provider.password = "secret";
  const auto found = changes(old, changed);
  EXPECT_EQ(found.live, (std::vector<std::string_view>{"sftpd.idle_timeout", "defender.denied"}));
  EXPECT_EQ(found.needs_restart, (std::vector<std::string_view>{"sftpd.bind_port", "data_provider.password"}));
}

TEST_F(ConfigTest, RelativePathsStartAtTheDirectory) {
  const auto loaded = load(directory_, "", nullptr);
  EXPECT_EQ(loaded->config.resolve("a/../b"), directory_ / "b");
  EXPECT_EQ(loaded->config.resolve("/a"), "/a");
  EXPECT_EQ(loaded->config.resolve(""), "");
}

}  // namespace
}  // namespace host::config
