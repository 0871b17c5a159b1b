// SPDX-License-Identifier: Apache-2.0
#include "host/core/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "host/core/limits.h"
#include "host/core/log_line.h"
#include "host/core/log_sink.h"

namespace host::core::log {
namespace {

namespace fs = std::filesystem;

class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string pattern = (fs::temp_directory_path() / "log_test_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LogTest() override {
    close();
    fs::remove_all(directory_);
  }

  std::vector<std::string> lines(const fs::path& file) {
    std::ifstream in(file);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
  }
  // What one call writes, with the time masked.
  template <class Call>
  std::string written(Call call, bool verbose = true) {
    Options options;
    options.path = directory_ / "one.log";
    options.verbose = verbose;
    fs::remove(options.path);
    EXPECT_TRUE(open(options));
    call();
    close();
    std::string all;
    for (const auto& line : lines(options.path)) all += line;
    return std::regex_replace(all, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})"), "TIME");
  }
  std::vector<std::string> names(std::string_view ending) {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.path().string().ends_with(ending)) out.push_back(entry.path().filename().string());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  void touch(const std::string& name, const std::string& content = "x") { std::ofstream(directory_ / name) << content; }

  fs::path directory_;
};

TEST_F(LogTest, GoesOnInANewFile) {
  Options options;
  options.path = directory_ / "one.log";
  const auto renamed = directory_ / "one.log.1";
  ASSERT_TRUE(open(options));
  info("sftpd", "", "before");
  while (lines(options.path).empty()) std::this_thread::yield();
  fs::rename(options.path, renamed);
  fs::create_directory(options.path);
  EXPECT_FALSE(reopen());
  info("sftpd", "", "between");
  while (lines(renamed).size() < 2) std::this_thread::yield();
  fs::remove(options.path);
  EXPECT_TRUE(reopen());
  info("sftpd", "", "after");
  close();
  EXPECT_EQ(lines(renamed).size(), 2u);
  ASSERT_EQ(lines(options.path).size(), 1u);
  EXPECT_NE(lines(options.path)[0].find("after"), std::string::npos);
  EXPECT_TRUE(reopen()) << "nothing to do when it is closed";
}

TEST_F(LogTest, FieldsAndTheirOrder) {
  EXPECT_EQ(written([] { info("sftpd", "abc", "hello"); }),
            R"({"level":"info","time":"TIME","sender":"sftpd","connection_id":"abc","message":"hello"})");
  EXPECT_EQ(written([] {
              transfer({"Upload", 12, 34, "ann", "/h/f", "abc", "SFTP"});
            }),
            R"({"level":"info","time":"TIME","sender":"Upload","elapsed_ms":12,"size_bytes":34,"username":"ann",)"
            R"("file_path":"/h/f","connection_id":"abc","protocol":"SFTP"})");
  Command chmod;
  chmod.sender = "Chmod";
  chmod.username = "ann";
  chmod.file_path = "/h/f";
  chmod.filemode = "-rw-------";
  chmod.connection_id = "abc";
  chmod.protocol = "SFTP";
  EXPECT_EQ(written([&] { command(chmod); }),
            R"({"level":"info","time":"TIME","sender":"Chmod","username":"ann","file_path":"/h/f","target_path":"",)"
            R"("filemode":"-rw-------","uid":-1,"gid":-1,"access_time":"","modification_time":"","ssh_command":"",)"
            R"("connection_id":"abc","protocol":"SFTP"})");
}

// The fail2ban filter of the replaced system matches on this very text.
TEST_F(LogTest, FailedConnectionsSurviveQuietMode) {
  const auto line = written(
      [] {
        debug("sftpd", "", "not wanted");
        connection_failed({"10.0.0.1", "ann", "password", "wrong"});
      },
      false);
  EXPECT_EQ(line, R"({"level":"debug","time":"TIME","sender":"connection_failed","client_ip":"10.0.0.1",)"
                  R"("username":"ann","login_type":"password","error":"wrong"})");
}

TEST_F(LogTest, BeforeOpenTextGoesToStandardError) {
  testing::internal::CaptureStderr();
  debug("config", "", "quiet");
  warn("config", "", "unknown key");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "warn: config: unknown key\n");
}

TEST_F(LogTest, UnwritablePlaceIsAnError) {
  Options options;
  touch("file");
  options.path = directory_ / "file" / "x.log";
  const auto opened = open(options);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("file"), std::string::npos);
}

TEST_F(LogTest, FileIsNotForOthersWhateverTheUmask) {
  const auto before = ::umask(0);
  written([] { info("a", "", "b"); });
  ::umask(before);
  EXPECT_EQ(fs::status(directory_ / "one.log").permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
}

TEST_F(LogTest, AnyBytesMakeValidJson) {
  const struct {
    std::string_view in, out;
  } rows[] = {
      {"plain", R"("plain")"},
      {"q\"b\\", R"("q\"b\\")"},
      {std::string_view("\b\f\n\r\t\0\x1f\x7f", 8), R"("\b\f\n\r\t\u0000\u001f\u007f")"},
      {"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80", "\"\xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80\""},
      {"\xFF", "\"\xEF\xBF\xBD\""},
      {"\xC3", "\"\xEF\xBF\xBD\""},
      {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                                  // overlong
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // surrogate
      {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // beyond U+10FFFF
  };
  for (const auto& row : rows) {
    std::string out;
    append_quoted(out, row.in);
    EXPECT_EQ(out, row.out);
    EXPECT_TRUE(nlohmann::json::accept(out)) << out;
  }
}

TEST_F(LogTest, LongTextsAreCut) {
  const std::string text(limits::kMaxLogTextBytes + 100, 'x');
  const auto line = written([&] { info("a", "", text); });
  EXPECT_EQ(nlohmann::json::parse(line)["message"].get<std::string>().size(), limits::kMaxLogTextBytes);
}

TEST_F(LogTest, FullQueueDropsOldLinesAndTellsHowMany) {
  // A pipe nobody reads stops the log thread in the middle of a line.
  const auto pipe = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int reader = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  Options options;
  options.path = pipe;
  ASSERT_TRUE(open(options));
  const std::string padding(200, 'x');
  const std::size_t sent = limits::kLogQueueLines + 5000;
  for (std::size_t i = 0; i < sent; ++i) info("test", "", padding);

  std::size_t received = 0, dropped = 0;
  std::thread drain([&] {
    std::FILE* in = ::fdopen(reader, "r");
    std::array<char, 1024> line{};
    while (received + dropped < sent && std::fgets(line.data(), line.size(), in) != nullptr) {
      const auto json = nlohmann::json::parse(line.data());
      if (json["sender"] == "log") {
        dropped += std::stoul(json["message"].get<std::string>());
      } else {
        ++received;
      }
    }
    std::fclose(in);
  });
  close();
  drain.join();
  EXPECT_GT(dropped, 0u);
  EXPECT_EQ(received + dropped, sent);
}

TEST_F(LogTest, RotatesBeforeTheLimitIsPassed) {
  RotationOptions options;
  options.path = directory_ / "deep" / "s.log";
  options.max_bytes = 25;
  {
    auto file = rotating_file(options);
    ASSERT_TRUE(file);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE((*file)->write_line("0123456789"));
  }
  EXPECT_EQ(lines(options.path).size(), 2u);
  std::vector<fs::path> all(fs::directory_iterator(directory_ / "deep"), {});
  EXPECT_EQ(all.size(), 2u);
  for (const auto& path : all) EXPECT_EQ(fs::file_size(path), 22u);
}

TEST_F(LogTest, ExistingFileIsContinued) {
  touch("s.log", "before\n");
  RotationOptions options;
  options.path = directory_ / "s.log";
  ASSERT_TRUE((*rotating_file(options))->write_line("after"));
  EXPECT_EQ(lines(options.path), (std::vector<std::string>{"before", "after"}));
}

TEST_F(LogTest, BackupNameIsInUtc) {
  const auto when = std::chrono::system_clock::time_point(std::chrono::milliseconds(1583386166007));
  EXPECT_EQ(backup_path("/var/log/sallyport.log", when), "/var/log/sallyport-2020-03-05T05-29-26.007.log");
  EXPECT_EQ(backup_path("plain", when), "plain-2020-03-05T05-29-26.007");
}

TEST_F(LogTest, TidyRemovesByNumberAndAge) {
  RotationOptions options;
  options.path = directory_ / "s.log";
  options.max_backups = 2;
  options.max_age_days = 10;
  const auto now = std::chrono::system_clock::time_point(std::chrono::seconds(1583386166));
  for (const int days : {1, 2, 3, 11}) {
    touch(backup_path("s.log", now - std::chrono::hours(24) * days).string());
  }
  touch("s-other.log");
  touch("s.log");
  tidy_backups(options, now);
  EXPECT_EQ(names(".log"), (std::vector<std::string>{"s-2020-03-03T05-29-26.000.log", "s-2020-03-04T05-29-26.000.log",
                                                     "s-other.log", "s.log"}));
  options.max_age_days = 1;
  tidy_backups(options, now);
  EXPECT_EQ(names(".log"), (std::vector<std::string>{"s-2020-03-04T05-29-26.000.log", "s-other.log", "s.log"}));
}

TEST_F(LogTest, TidyCompresses) {
  RotationOptions options;
  options.path = directory_ / "s.log";
  options.compress = true;
  const std::string content(200000, 'y');
  touch("s-2020-03-03T05-29-26.000.log", content);
  tidy_backups(options, std::chrono::system_clock::time_point(std::chrono::seconds(1583386166)));
  EXPECT_EQ(names(".log"), std::vector<std::string>{});
  const gzFile in = gzopen((directory_ / "s-2020-03-03T05-29-26.000.log.gz").c_str(), "rb");
  ASSERT_NE(in, nullptr);
  std::string back(content.size() + 1, '\0');
  const int count = gzread(in, back.data(), static_cast<unsigned>(back.size()));
  gzclose(in);
  ASSERT_EQ(count, static_cast<int>(content.size()));
  back.resize(content.size());
  EXPECT_EQ(back, content);
}

}  // namespace
}  // namespace host::core::log
