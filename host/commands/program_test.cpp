// SPDX-License-Identifier: Apache-2.0
#include "host/commands/program.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace host::commands {
namespace {

core::Result<Program> parse(std::string_view line) {
  const auto words = core::split_shell_words(line);
  EXPECT_TRUE(words) << line;
  return parse_program(*words);
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

TEST(Program, KnowsItsNames) {
  for (const char* name : {"git-receive-pack", "git-upload-pack", "git-upload-archive", "rsync"})
    EXPECT_TRUE(is_program(name));
  for (const char* name : {"git", "git-shell", "/usr/bin/rsync", "sh", ""}) EXPECT_FALSE(is_program(name));
}

TEST(Program, GitGetsOneRepositoryBelowTheHome) {
  const auto push = parse("git-receive-pack '/repos/a b.git'");
  ASSERT_TRUE(push);
  EXPECT_EQ(push->words, (std::vector<std::string>{"receive-pack", "."}));
  EXPECT_EQ(push->request.paths, std::vector{core::VirtualPath::clean("/repos/a b.git")});
  EXPECT_FALSE(push->request.anywhere);
  EXPECT_TRUE(push->request.writes);
  EXPECT_FALSE(parse("git-upload-pack '/r'")->request.writes);
  EXPECT_EQ(parse("git-upload-pack ../../etc")->request.paths.front().str(), "/etc");
  for (const char* line : {"git-upload-pack", "git-upload-pack --strict /r", "git-upload-pack /a /b",
                           "git-upload-pack --upload-pack=x", "git-receive-pack -c"})
    EXPECT_FALSE(parse(line)) << line;
}

TEST(Program, GitIsSetOverTheRepositorysOwnConfiguration) {
  const auto program = parse("git-receive-pack /r");
  ASSERT_TRUE(program);
  const auto& set = program->environment;
  const auto setting = [&](const std::string& name) -> std::string {
    const auto key = std::ranges::find_if(set, [&](const auto& each) { return each.ends_with("=" + name); });
    if (key == set.end()) return "";
    const auto value = "GIT_CONFIG_VALUE_" + key->substr(15, key->find('=') - 15) + "=";
    const auto found = std::ranges::find_if(set, [&](const auto& each) { return each.starts_with(value); });
    return found == set.end() ? "" : found->substr(value.size());
  };
  EXPECT_EQ(setting("core.hooksPath"), "/dev/null");
  EXPECT_EQ(setting("receive.denyCurrentBranch"), "refuse");
  EXPECT_EQ(setting("core.symlinks"), "false");
  EXPECT_EQ(setting("pack.threads"), "1");
  EXPECT_EQ(setting("pack.windowMemory"), "64m");
  EXPECT_TRUE(std::ranges::count(set, "GIT_CONFIG_COUNT=" + std::to_string(std::ranges::count_if(set, [](auto& each) {
                                        return each.starts_with("GIT_CONFIG_KEY_");
                                      }))));
}

TEST(Program, RsyncTakesWhatItsClientSends) {
  const auto upload = parse("rsync --server -vlogDtprze.iLsfxCIvu --delete --partial --log-format=%i . /d/");
  ASSERT_TRUE(upload) << upload.error().message();
  EXPECT_EQ(joined(upload->words),
            "--server --no-super --chmod=ug-s,o-t -vlogDtprze.iLsfxCIvu --delete --partial --log-format=%i . ./d/");
  EXPECT_TRUE(upload->request.writes && upload->request.anywhere);
  const auto download = parse("rsync --server --sender -logDtpre.LsfxCIvu . a /b/../c/ .");
  ASSERT_TRUE(download);
  EXPECT_EQ(joined(download->words), "--server --sender -logDtpre.LsfxCIvu . ./a ./c/ ./");
  EXPECT_FALSE(download->request.writes);
  EXPECT_EQ(download->request.paths.size(), 3U);
  EXPECT_FALSE(download->request.removes);
  EXPECT_TRUE(parse("rsync --server --sender -re.LsfxCIvu --remove-source-files . /a")->request.removes);
}

TEST(Program, RsyncRefusesTheRest) {
  for (const char* option : {"--daemon",
                             "--config=/x",
                             "--config /x",
                             "--rsh=sh",
                             "-e sh",
                             "-esh",
                             "-e.L/x",
                             "--log-file=x",
                             "--log-file x",
                             "--write-batch=x",
                             "--read-batch=x",
                             "--only-write-batch=x",
                             "--files-from=-",
                             "--files-from x",
                             "-s",
                             "--protect-args",
                             "--secluded-args",
                             "-K",
                             "--keep-dirlinks",
                             "-M--x",
                             "--remote-option=--x",
                             "--copy-devices",
                             "--write-devices",
                             "--super",
                             "--chmod=u+s",
                             "--no-implied-dirs",
                             "--rsync-path=x",
                             "--delete=x",
                             "--suffix",
                             "--exclude-from=/x",
                             "--include-from=/x",
                             "--filter=x",
                             "--password-file=/x",
                             "--out-format=x",
                             "-T",
                             "x",
                             "--fake-super",
                             "--copy-as=root",
                             "-B/x",
                             "--bwlimit",
                             "--sender=1"})
    EXPECT_FALSE(parse(std::string("rsync --server -logDtpre.LsfxCIvu ") + option + " . /d")) << option;
  for (const char* line : {"rsync", "rsync /a /b", "rsync --daemon", "rsync --server", "rsync --server -r",
                           "rsync -r --server . /d", "rsync --server -r .", "rsync --server -r . /a /b"})
    EXPECT_FALSE(parse(line)) << line;
}

TEST(Program, RsyncKeepsItsDirectoriesInTheHome) {
  const auto path = [](const std::string& option) {
    const auto parsed = parse("rsync --server -r " + option + " . /backup/today/");
    EXPECT_TRUE(parsed) << option;
    return parsed ? parsed->words[4] + " " + parsed->request.paths.back().str() : "";
  };
  EXPECT_EQ(path("--link-dest=../yesterday"), "--link-dest=../yesterday /backup/yesterday");
  EXPECT_EQ(path("--link-dest ../yesterday"), "--link-dest=../yesterday /backup/yesterday");
  EXPECT_EQ(path("--temp-dir /tmp"), "--temp-dir=./../../tmp /tmp");
  EXPECT_EQ(path("--partial-dir=.part"), "--partial-dir=.part /backup/today/.part");
  EXPECT_EQ(path("--backup-dir=a/../../../b"), "--backup-dir=a/../../../b /b");
  EXPECT_EQ(path("--copy-dest=/../../etc"), "--copy-dest=./../../etc /etc");
  for (const char* option : {"backup-dir", "compare-dest", "copy-dest", "link-dest", "partial-dir", "temp-dir"}) {
    EXPECT_FALSE(parse(std::string("rsync --server -r --") + option + "=../../../etc . /backup/today/")) << option;
    EXPECT_FALSE(parse(std::string("rsync --server -r --") + option + "= . /backup/today/")) << option;
    EXPECT_FALSE(parse(std::string("rsync --server -r --") + option)) << option;
  }
}

}  // namespace
}  // namespace host::commands
