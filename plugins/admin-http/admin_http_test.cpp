// SPDX-License-Identifier: Apache-2.0
//
// What can be told without a server: settings that are safe, routes, the form of answers, and who may come in.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "htpasswd.h"
#include "metrics.h"
#include "origin.h"
#include "routes.h"
#include "settings.h"
#include "watch.h"

namespace admin_http {
namespace {

std::string settings(const std::string& address, const std::string& passwords, const std::string& certificate,
                     bool insecure) {
  return R"({"bind_address": ")" + address + R"(", "bind_port": 8080, "auth_user_file": ")" + passwords +
         R"(", "certificate_file": ")" + certificate + R"(", "certificate_key_file": ")" + certificate +
         R"(", "allowed_hosts": [], "allow_insecure": )" + (insecure ? "true}" : "false}");
}

TEST(AdminHttpSettings, NobodyOpensAServerByAccident) {
  EXPECT_TRUE(parse_settings(settings("127.0.0.1", "", "", false)));
  EXPECT_TRUE(parse_settings(settings("::1", "", "", false)));
  EXPECT_TRUE(parse_settings(settings("0.0.0.0", "/p", "/c", false)));
  EXPECT_TRUE(parse_settings(settings("", "", "", true)));
  for (const auto* address : {"", "0.0.0.0", "::", "192.0.2.1"}) {
    auto open = parse_settings(settings(address, "", "/c", false));
    ASSERT_FALSE(open) << address;
    EXPECT_NE(open.failure().message.find("httpd.auth_user_file"), std::string::npos);
    auto plain = parse_settings(settings(address, "/p", "", false));
    ASSERT_FALSE(plain) << address;
    EXPECT_NE(plain.failure().message.find("httpd.certificate_file"), std::string::npos);
  }
}

Answer echo(const Request& request, Services&) { return envelope(200, "", request.parameter); }
Answer throws(const Request&, Services&) { throw std::runtime_error("secret"); }
constexpr Route kTable[] = {
    {"GET", "/a", echo}, {"PUT", "/a/{}", echo}, {"GET", "/throws", throws}, {"GET", "/acts", echo, false, true}};

TEST(AdminHttpRoutes, PathThenMethod) {
  EXPECT_EQ(find_route(kTable, "GET", "/a").route, &kTable[0]);
  const auto one = find_route(kTable, "PUT", "/a/7");
  EXPECT_EQ(one.route, &kTable[1]);
  EXPECT_EQ(one.parameter, "7");
  for (const auto* path : {"", "/", "/b", "/a/", "/a/7/8", "/aa"}) {
    const auto none = find_route(kTable, "GET", path);
    EXPECT_EQ(none.route, nullptr) << path;
    EXPECT_EQ(none.refusal.body, "{\"error\":\"\",\"message\":\"Not Found\",\"status\":404}\n") << path;
  }
  EXPECT_EQ(find_route(kTable, "HEAD", "/a").route, &kTable[0]);
  EXPECT_EQ(find_route(kTable, "HEAD", "/acts").route, nullptr);
  EXPECT_EQ(find_route(kTable, "POST", "/a").refusal.body,
            "{\"error\":\"\",\"message\":\"Method not allowed\",\"status\":405}\n");
}

TEST(AdminHttpRoutes, AHandlerThatThrowsAnswers500) {
  Services services{};
  const auto answer = run_handler(kTable[2], {}, services);
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.body.find("secret"), std::string::npos);
}

TEST(AdminHttpAnswers, TextsOfAnyBytes) {
  const auto quoted = [](std::string_view text) {
    std::string out = "=";
    append_quoted(out, text);
    return out;
  };
  EXPECT_EQ(quoted(""), R"(="")");
  EXPECT_EQ(quoted("plain ~ text"), R"(="plain ~ text")");
  EXPECT_EQ(quoted("a\"b\\c\n\x01"), R"(="a\"b\\c\n\u0001")");
  EXPECT_EQ(quoted("\xc3\xa9\xff"), "=\"\xc3\xa9\xef\xbf\xbd\"");
}

TEST(AdminHttpAnswers, EscapeWhatBrowsersMightTakeForMarkup) {
  EXPECT_EQ(envelope(400, "<a>&\"\n", "").body,
            "{\"error\":\"\\u003ca\\u003e\\u0026\\\"\\n\",\"message\":\"\",\"status\":400}\n");
  EXPECT_EQ(envelope(200, "\xff", "").body, "{\"error\":\"\xEF\xBF\xBD\",\"message\":\"\",\"status\":200}\n");
}

TEST(AdminHttpOrigin, ProgramsSayNothingAndComeIn) {
  const OwnNames names{"box.example", {"files.example", "admin.example:8443"}, false};
  for (const auto* host :
       {"", "127.0.0.1:8080", "[::1]:8080", "localhost", "LOCALHOST:1", "a.localhost", "sallyport:80",
        "box.example:8080", "files.example", "Files.Example:9", "admin.example:8443"}) {
    EXPECT_EQ(refuses({host, "", "", ""}, names), std::nullopt) << host;
  }
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example:8080", "admin.example", "box.example.evil"}) {
    EXPECT_NE(refuses({host, "", "", ""}, names), std::nullopt) << host;
    EXPECT_EQ(refuses({host, "", "", ""}, {"", {}, true}), std::nullopt) << host;
  }
}

TEST(AdminHttpOrigin, PagesFromElsewhereDoNot) {
  const OwnNames names{"box", {"files.example"}, true};
  const std::string host = "127.0.0.1:8080";
  EXPECT_EQ(refuses({host, "http://127.0.0.1:8080", "same-origin", ""}, names), std::nullopt);
  EXPECT_EQ(refuses({host, "https://files.example", "cross-site", ""}, names), std::nullopt);
  EXPECT_EQ(refuses({host, "", "none", "http://evil.example/"}, names), std::nullopt)
      << "typed in by the administrator";
  EXPECT_EQ(refuses({host, "", "", "http://127.0.0.1:8080/x"}, names), std::nullopt);
  for (const auto* origin : {"null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:8081", "x"}) {
    EXPECT_NE(refuses({host, origin, "", ""}, names), std::nullopt) << origin;
  }
  EXPECT_NE(refuses({host, "", "cross-site", ""}, names), std::nullopt);
  EXPECT_NE(refuses({host, "", "same-site", ""}, names), std::nullopt) << "another port of this machine";
  EXPECT_NE(refuses({host, "", "", "http://evil.example/page"}, names), std::nullopt);
}

TEST(AdminHttpMetrics, HistogramsAreSummedUpAndLabelsQuoted) {
  Metrics metrics;
  metrics.count(200);
  const auto text = metrics.text(R"([{"name": "a_seconds", "type": "histogram", "help": "h", "samples": [
      {"labels": {"x": "\"q\\\n"}, "bounds": [0.1, 1.0], "counts": [1, 2, 3], "sum": 4.5}]},
      {"name": "b", "type": "gauge", "help": "g", "samples": [{"labels": {}, "value": 7}]},
      {"name": "none", "type": "gauge", "help": "g", "samples": []}])");
  const std::string labels = R"(x="\"q\\\n")";
  EXPECT_TRUE(text.starts_with("# HELP a_seconds h\n# TYPE a_seconds histogram\na_seconds_bucket{" + labels +
                               ",le=\"0.1\"} 1\na_seconds_bucket{" + labels + ",le=\"1.0\"} 3\na_seconds_bucket{" +
                               labels + ",le=\"+Inf\"} 6\na_seconds_sum{" + labels + "} 4.5\na_seconds_count{" +
                               labels + "} 6\n# HELP b g\n# TYPE b gauge\nb 7\n# HELP sftpgo_http_req_total"))
      << text;
  EXPECT_NE(text.find("\nsftpgo_http_req_ok_total 1\n"), std::string::npos);
}

struct PasswordFileTest : ::testing::Test {
  void write(const std::string& text) {
    // A rename, as htpasswd does it; the number makes the size differ where the clock does not.
    std::ofstream(path.string() + ".new")
        << text << "#" << std::string(static_cast<std::size_t>(++writes), 'x') << "\n";
    std::filesystem::rename(path.string() + ".new", path);
  }
  ~PasswordFileTest() override { std::filesystem::remove(path); }

  int writes = 0, checks = 0;
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("htpasswd-" + std::to_string(::getpid()));
  PasswordFile file{path.string(),
                    [this](std::string_view hash, std::string_view password) {
                      ++checks;
                      return hash == "hash of " + std::string(password);
                    },
                    {}};
};

TEST_F(PasswordFileTest, KnowsWhoIsListed) {
  EXPECT_FALSE(file.read());
  write("# admins\n\nann:hash of a\r\nbob:hash of b\n");
  ASSERT_TRUE(file.read());
  EXPECT_TRUE(file.allows("ann", "a"));
  EXPECT_TRUE(file.allows("bob", "b"));
  EXPECT_FALSE(file.allows("ann", "b"));
  EXPECT_FALSE(file.allows("eve", "a"));
  EXPECT_FALSE(file.allows("", ""));
}

TEST_F(PasswordFileTest, AFileWithNobodyIsWarnedOf) {
  std::vector<std::string> lines;
  sp_host host{};
  host.ctx = &lines;
  host.log = [](const sp_host* self, std::uint32_t level, sp_str, sp_str text) noexcept {
    if (level == SP_LOG_WARN) static_cast<std::vector<std::string>*>(self->ctx)->emplace_back(sallyport::view(text));
  };
  PasswordFile told{path.string(), [](auto, auto) { return true; }, sallyport::Log(&host, "httpd")};
  const std::string warning = "httpd.auth_user_file: " + path.string() + " lists nobody, so nobody is let in";
  write("# nobody yet\n\n");
  ASSERT_TRUE(told.read());
  EXPECT_EQ(lines, std::vector<std::string>{warning});
  write("ann:hash of a\n");
  EXPECT_TRUE(told.allows("ann", "a"));
  EXPECT_EQ(lines.size(), 1U);
  write("#ann:hash of a\n");
  EXPECT_FALSE(told.allows("ann", "a"));
  EXPECT_EQ(lines, (std::vector<std::string>{warning, warning}));
}

TEST_F(PasswordFileTest, PaysForAPasswordOnceAndForStrangersAlways) {
  write("ann:hash of a\n");
  ASSERT_TRUE(file.read());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(file.allows("ann", "a"));
  EXPECT_EQ(checks, 1);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(file.allows("eve", "a"));
  EXPECT_EQ(checks, 4);
}

TEST_F(PasswordFileTest, FollowsTheFile) {
  write("ann:hash of a\n");
  ASSERT_TRUE(file.read());
  ASSERT_TRUE(file.allows("ann", "a"));
  write("ann:hash of new\n");
  EXPECT_FALSE(file.allows("ann", "a"));
  EXPECT_TRUE(file.allows("ann", "new"));
  write("ann:hash of new\nnonsense\n");
  EXPECT_FALSE(file.allows("ann", "new"));
  write("ann:hash of new\n");
  EXPECT_TRUE(file.allows("ann", "new"));
  std::filesystem::remove(path);
  EXPECT_FALSE(file.allows("ann", "new"));
}

struct WatchTest : ::testing::Test {
  WatchTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~WatchTest() override {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  // Does the other end see that the connection is cut off, within `time`?
  bool cut(int milliseconds) {
    pollfd other{ends[1], POLLIN, 0};
    return ::poll(&other, 1, milliseconds) == 1;
  }
  int ends[2] = {-1, -1};
  Watch watch;
};

TEST_F(WatchTest, CutsOffWhoTakesTooLong) {
  Watch::Connection connection(watch, ends[0]);
  connection.allow(std::chrono::milliseconds(1));
  EXPECT_TRUE(cut(20000));
}

TEST_F(WatchTest, LeavesOthersAlone) {
  Watch::Connection connection(watch, ends[0]);
  connection.allow(std::chrono::milliseconds(200));
  connection.allow_any_time();
  EXPECT_FALSE(cut(1500));
}

TEST_F(WatchTest, CutsOffAllAtTheEnd) {
  std::promise<void> begun;
  std::thread client([&] {
    const Watch::Connection early(watch, ends[0]);
    begun.set_value();
    EXPECT_TRUE(cut(20000));
  });
  begun.get_future().wait();
  EXPECT_TRUE(watch.cut_all(Watch::Clock::now()).empty());
  client.join();
}

TEST_F(WatchTest, AnAnswerOnItsWayIsWaitedForAtTheEnd) {
  int others[2] = {-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, others), 0);
  std::promise<void> begun;
  std::thread client([&] {
    Watch::Connection connection(watch, ends[0]);
    connection.allow_any_time();
    {
      Watch::Connection idle(watch, others[0]);
      idle.allow(std::chrono::hours(1));
      begun.set_value();
      pollfd other{others[1], POLLIN, 0};
      EXPECT_EQ(::poll(&other, 1, 20000), 1) << "one that only waits is cut off at once";
    }
    EXPECT_FALSE(cut(0));
    connection.allow_answer(std::chrono::hours(1));
    EXPECT_FALSE(cut(0));
    connection.allow(std::chrono::hours(1));
    EXPECT_TRUE(cut(0)) << "there will be no further request";
  });
  begun.get_future().wait();
  EXPECT_TRUE(watch.cut_all(Watch::Clock::now() + std::chrono::hours(1)).empty());
  client.join();
  ::close(others[0]);
  ::close(others[1]);
}

TEST_F(WatchTest, AtTheDeadlineNothingIsWaitedFor) {
  Watch::Connection busy(watch, ends[0]);
  busy.allow_any_time("GET /slow");
  const auto left = watch.cut_all(Watch::Clock::now() + std::chrono::milliseconds(1));
  EXPECT_TRUE(cut(0));
  ASSERT_EQ(left.size(), 1U);
  EXPECT_TRUE(left.front().starts_with("GET /slow for ")) << left.front();
}

TEST_F(WatchTest, NothingBeginsOnceAllIsCutOff) {
  std::promise<void> begun;
  std::thread client([&] {
    Watch::Connection connection(watch, ends[0]);
    EXPECT_FALSE(connection.ending());
    EXPECT_TRUE(connection.allow_any_time("login"));
    connection.allow_rest();
    begun.set_value();
    EXPECT_TRUE(cut(20000));
    EXPECT_TRUE(connection.ending());
    EXPECT_FALSE(connection.allow_any_time("GET /late"));
  });
  begun.get_future().wait();
  EXPECT_TRUE(watch.cut_all(Watch::Clock::now() + std::chrono::hours(1)).empty());
  client.join();
}

TEST_F(WatchTest, AThreadThatIsElsewhereDoesNotHoldUpTheEnd) {
  Watch::Connection answering(watch, ends[0]);
  answering.allow_answer(std::chrono::hours(1));
  const auto left = watch.cut_all(Watch::Clock::now(), std::chrono::milliseconds(1));
  EXPECT_EQ(left, std::vector<std::string>{"a connection that does not end"});
}

TEST_F(WatchTest, WithoutADescriptorThereIsNoConnection) {
  EXPECT_THROW(Watch::Connection(watch, -1), std::system_error);
  EXPECT_TRUE(watch.cut_all(Watch::Clock::now()).empty());
}

TEST_F(WatchTest, WhatAClientHadLeftIsLeftToIt) {
  Watch::Connection connection(watch, ends[0]);
  connection.allow(std::chrono::milliseconds(1));
  connection.allow_any_time("login");
  connection.allow_rest();
  EXPECT_TRUE(cut(20000));
}

}  // namespace
}  // namespace admin_http
