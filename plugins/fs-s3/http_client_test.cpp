// SPDX-License-Identifier: Apache-2.0
//
// Servers that do not get on with their answers, and answers of every form. What else TLS adds is in
// tests/blackbox/test_s3_tls.py.
#include "http_client.h"

#include <Poco/Net/SecureServerSocket.h>
#include <Poco/Net/SocketImpl.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "fake_store_test.h"

namespace fs_s3 {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kSoon = std::chrono::seconds(15);  // nothing here would end by itself for longer

// Answers everybody with a beginning, and then a byte every few milliseconds for as long as there is somebody.
class Trickle {
 public:
  explicit Trickle(std::string beginning) : beginning_(std::move(beginning)) {
    socket_.bind(Poco::Net::SocketAddress("127.0.0.1", 0));
    socket_.listen();
    thread_ = std::thread([this] { run(); });
  }
  ~Trickle() {
    stopping_ = true;
    thread_.join();
  }
  Trickle(const Trickle&) = delete;
  Trickle& operator=(const Trickle&) = delete;
  Endpoint endpoint() const { return *Endpoint::parse("http://127.0.0.1:" + std::to_string(socket_.address().port())); }

 private:
  void run() {
    while (!stopping_) {
      if (!socket_.poll(kPause, Poco::Net::Socket::SELECT_READ)) continue;
      try {
        auto client = socket_.acceptConnection();
        char request[4096];
        client.receiveBytes(request, sizeof request);
        client.sendBytes(beginning_.data(), static_cast<int>(beginning_.size()));
        while (!stopping_ && !client.poll(kPause, Poco::Net::Socket::SELECT_READ)) {
          if (::send(client.impl()->sockfd(), "a", 1, MSG_NOSIGNAL) < 0) break;
        }
      } catch (const Poco::Exception&) {  // the client went away
      }
    }
  }
  const Poco::Timespan kPause{0, 5'000};
  const std::string beginning_;
  Poco::Net::ServerSocket socket_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

HttpRequest get(std::string target) {
  HttpRequest request;
  request.method = "GET";
  request.target = std::move(target);
  return request;
}

struct Slow {
  const char* name;
  std::string beginning;
  std::size_t into;  // bytes asked for
};
const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

class Trickling : public testing::TestWithParam<Slow> {
 protected:
  HttpClient client{HttpClient::Settings{}};
  std::vector<std::byte> into = std::vector<std::byte>(GetParam().into);
  Trickle server{GetParam().beginning};
  const Clock::time_point begun = Clock::now();
};

TEST_P(Trickling, AnswersEndWithTheTimeThatTheRequestHas) {
  HttpRequest request = get("/");
  request.until = begun + std::chrono::seconds(1);
  EXPECT_FALSE(client.call(server.endpoint(), request, into));
  EXPECT_LT(Clock::now() - begun, kSoon);
}

TEST_P(Trickling, AnswersEndWhenNobodyWantsThem) {
  HttpRequest request = get("/");
  request.stop = [this] { return Clock::now() - begun > std::chrono::milliseconds(300); };
  EXPECT_FALSE(client.call(server.endpoint(), request, into));
  EXPECT_LT(Clock::now() - begun, kSoon);
}

INSTANTIATE_TEST_SUITE_P(
    Http, Trickling,
    testing::Values(Slow{"InItsHead", "HTTP/1.1 200 OK\r\nX-Much: ", 0}, Slow{"InItsFirstLine", "HTT", 0},
                    Slow{"InText", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", 0},
                    Slow{"InChunkedText", kChunked + "fffff\r\n", 0}, Slow{"InASizeOfAChunk", kChunked, 0},
                    Slow{"InData", "HTTP/1.1 206 OK\r\nContent-Length: 1000000\r\n\r\n", 1'000'000},
                    Slow{"InChunkedData", kChunked + "fffff\r\n", 1'000'000},
                    Slow{"InDataToTheEnd", "HTTP/1.1 200 OK\r\n\r\n", 1'000'000}),
    [](const auto& given) { return std::string(given.param.name); });

Outcome<HttpAnswer> ask(FakeStore& store, HttpClient& client, std::span<std::byte> into = {}) {
  return client.call(store.endpoint(), get("/x"), into);
}

TEST(HttpAnswers, InChunksComeWholeAndLeaveTheConnection) {
  FakeStore store([](const auto&) {
    return "HTTP/1.1 100 Continue\r\n\r\n" + kChunked +
           "3;about=this\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  });
  HttpClient client{HttpClient::Settings{}};
  std::string data(13, ' ');
  EXPECT_EQ(ask(store, client)->body, "abc0123456789");
  EXPECT_TRUE(ask(store, client, std::as_writable_bytes(std::span(data))));
  EXPECT_EQ(data, "abc0123456789");
  EXPECT_EQ(store.connections(), 1);
  for (const std::size_t wrong : {12, 14}) {
    data.resize(wrong);
    EXPECT_FALSE(ask(store, client, std::as_writable_bytes(std::span(data)))) << wrong;
  }
}

TEST(HttpAnswers, ThatBreakOffOrMakeNoSenseAreNone) {
  std::string text;
  FakeStore store([&](const auto&) { return text + " "; });
  HttpClient client{HttpClient::Settings{}};
  const std::string close = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
  for (const auto& wrong :
       {close + "Content-Length: 9\r\n\r\nabc", close + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        close + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
        close + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n", close + "Content-Length: -1\r\n\r\n",
        close + "Content-Le", "HTTP/1.1 Connection: close " + std::string(100'000, 'x')}) {
    text = wrong;
    EXPECT_FALSE(ask(store, client)) << wrong.substr(0, 100);
  }
  text = close + "\r\nabc";
  EXPECT_EQ(ask(store, client)->body, "abc ") << "up to the end of the connection";
}

TEST(HttpAnswers, MoreThanWasPromisedIsNotTakenForTheNext) {
  FakeStore store([](const auto&) { return "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 404 Not\r\n"; });
  HttpClient client{HttpClient::Settings{}};
  EXPECT_EQ(ask(store, client)->body, "a");
  EXPECT_EQ(ask(store, client)->body, "a");
  EXPECT_EQ(store.connections(), 2);
}

TEST(HttpConnections, ThatAreRefusedSentNothing) {
  Poco::Net::ServerSocket closed(Poco::Net::SocketAddress("127.0.0.1", 0));
  const auto port = std::to_string(closed.address().port());
  closed.close();
  HttpClient client{HttpClient::Settings{}};
  auto answer = client.call(*Endpoint::parse("http://127.0.0.1:" + port), get("/"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().native, HttpClient::kNotSent);
}

// Answers one request, and goes away when it has another.
class Vanishing {
 public:
  Vanishing() : thread_([this] { run(); }) {}
  ~Vanishing() { thread_.join(); }
  Vanishing(const Vanishing&) = delete;
  Vanishing& operator=(const Vanishing&) = delete;
  Endpoint endpoint() const { return endpoint_; }

 private:
  void run() {
    auto client = socket_.acceptConnection();
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char request[4096];
    client.receiveBytes(request, sizeof request);
    client.sendBytes(answer.data(), static_cast<int>(answer.size()));
    client.receiveBytes(request, sizeof request);
    socket_.close();
  }
  Poco::Net::ServerSocket socket_{Poco::Net::SocketAddress("127.0.0.1", 0)};
  const Endpoint endpoint_ = *Endpoint::parse("http://127.0.0.1:" + std::to_string(socket_.address().port()));
  std::thread thread_;
};

TEST(HttpConnections, ThatBreakWithARequestOnThemLeaveItInDoubt) {
  Vanishing server;
  HttpClient client{HttpClient::Settings{}};
  ASSERT_TRUE(client.call(server.endpoint(), get("/")));
  auto answer = client.call(server.endpoint(), get("/"));
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.failure().message.find("no connection"), std::string::npos) << answer.failure().message;
  EXPECT_NE(answer.failure().native, HttpClient::kNotSent);
}

TEST(HttpConnections, AnswersTellWhetherTheRequestWasSentBefore) {
  int count = 0;
  FakeStore store(
      [&](const auto&) { return ++count == 2 ? std::string() : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"; });
  HttpClient client{HttpClient::Settings{}};
  EXPECT_FALSE(ask(store, client)->sent_before);
  EXPECT_TRUE(ask(store, client)->sent_before);
  EXPECT_EQ(count, 3);
}

// Reads the head, says no, and neither reads nor closes from then on.
TEST(HttpAnswers, ThatComeBeforeTheEndOfTheDataAreNotWaitedFor) {
  Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
  std::atomic<bool> over = false;
  std::thread server([&] {
    auto client = socket.acceptConnection();
    const std::string no = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
    char head[1024];
    client.receiveBytes(head, sizeof head);
    client.sendBytes(no.data(), static_cast<int>(no.size()));
    over.wait(false);
  });
  const std::vector<std::byte> data(64 << 20);
  HttpRequest request = get("/");
  request.method = "PUT";
  request.body = data;
  const auto begun = Clock::now();
  HttpClient client{HttpClient::Settings{}};
  auto answer = client.call(*Endpoint::parse("http://127.0.0.1:" + std::to_string(socket.address().port())), request);
  over = true;
  over.notify_all();
  server.join();
  ASSERT_TRUE(answer) << answer.failure().message;
  EXPECT_EQ(answer->status, 403);
  EXPECT_LT(Clock::now() - begun, kSoon);
}

// A server that never answers a hello holds nobody who has left.
TEST(HttpConnections, AHandshakeIsGivenUpWithItsRequest) {
  Poco::Net::ServerSocket silent(Poco::Net::SocketAddress("127.0.0.1", 0));
  HttpClient::Settings settings;
  settings.connect_timeout = std::chrono::seconds(100);
  HttpClient client{settings};
  const auto begun = Clock::now();
  HttpRequest request = get("/");
  request.stop = [&] { return Clock::now() - begun > std::chrono::milliseconds(300); };
  auto answer = client.call(*Endpoint::parse("https://127.0.0.1:" + std::to_string(silent.address().port())), request);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().native, HttpClient::kNotSent);
  EXPECT_LT(Clock::now() - begun, kSoon);
}

// A key, and a certificate of it for 127.0.0.1 that is its own authority.
std::string made_certificate() {
  EVP_PKEY* const key = EVP_RSA_gen(2048);
  X509* const made = X509_new();
  X509_set_version(made, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made), 1);
  X509_gmtime_adj(X509_getm_notBefore(made), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made), 3600);
  X509_set_pubkey(made, key);
  const auto* const name = reinterpret_cast<const unsigned char*>("127.0.0.1");
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, name, -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(made));
  X509_EXTENSION* const about = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(made, about, -1);
  X509_sign(made, key, EVP_sha256());
  const std::string path = testing::TempDir() + "/http_client_test." + std::to_string(::getpid()) + ".pem";
  std::FILE* const file = std::fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  PEM_write_X509(file, made);
  std::fclose(file);
  X509_EXTENSION_free(about);
  X509_free(made);
  EVP_PKEY_free(key);
  return path;
}

// The queue of errors is the thread's, and what another library leaves there is none of the connection's.
TEST(HttpConnections, WithTlsStayWhateverErrorIsLeftInTheThread) {
  using Poco::Net::Context;
  const std::string pem = made_certificate();
  Poco::Net::SecureServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0), 5,
                                       new Context(Context::TLS_SERVER_USE, pem, pem, "", Context::VERIFY_NONE));
  std::atomic<bool> waited_for = false;
  std::thread server([&] {
    auto client = socket.acceptConnection();
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    char request[4096];
    client.receiveBytes(request, sizeof request);
    client.sendBytes(answer.data(), static_cast<int>(answer.size()));
    client.receiveBytes(request, sizeof request);
    waited_for.wait(false);
    client.sendBytes(answer.data(), static_cast<int>(answer.size()));
  });
  HttpClient::Settings settings;
  settings.ca_file = pem;
  HttpClient client{settings};
  const auto endpoint = *Endpoint::parse("https://127.0.0.1:" + std::to_string(socket.address().port()));
  auto first = client.call(endpoint, get("/"));
  HttpRequest request = get("/");
  request.until = Clock::now() + std::chrono::seconds(2);
  int asked = 0;
  request.stop = [&] {  // once when it is sent, and then when there is nothing to be read
    waited_for = ++asked > 1;
    waited_for.notify_all();
    return false;
  };
  ERR_raise(ERR_LIB_USER, 1);
  auto second = client.call(endpoint, request);
  waited_for = true;
  waited_for.notify_all();
  server.join();
  std::filesystem::remove(pem);
  ASSERT_TRUE(first) << first.failure().message;
  ASSERT_TRUE(second) << second.failure().message;
  EXPECT_FALSE(second->sent_before);
}

class HttpProxies : public testing::Test {
 protected:
  HttpProxies() {
    ::setenv("http_proxy", ("http://me:pw@" + proxy.url().substr(7)).c_str(), 1);
    ::setenv("https_proxy", ("http://me:pw@" + proxy.url().substr(7)).c_str(), 1);
    ::unsetenv("no_proxy");
  }
  ~HttpProxies() override {
    ::unsetenv("http_proxy");
    ::unsetenv("https_proxy");
  }
  std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  FakeStore proxy{[this](const auto&) { return answer; }};
  HttpClient client{HttpClient::Settings{}};
};

TEST_F(HttpProxies, GetWholeAddressesAndWhoAsks) {
  for (int i = 0; i < 2; ++i) {
    auto got = client.call(*Endpoint::parse("http://store.example:81"), get("/a?b"));
    ASSERT_TRUE(got) << got.failure().message;
    EXPECT_EQ(got->body, "ok");
  }
  EXPECT_EQ(proxy.connections(), 1);
  for (const auto& head : proxy.heads()) {
    EXPECT_TRUE(head.starts_with("GET http://store.example:81/a?b HTTP/1.1\r\n")) << head;
    EXPECT_EQ(FakeStore::header(head, "Proxy-Authorization"), "Basic bWU6cHc=");
    EXPECT_EQ(FakeStore::header(head, "Host"), "store.example:81");
  }
}

TEST_F(HttpProxies, AreAskedForATunnelAndMaySayNo) {
  answer = "HTTP/1.1 407 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  auto got = client.call(*Endpoint::parse("https://store.example"), get("/secret"));
  ASSERT_FALSE(got);
  EXPECT_NE(got.failure().message.find("the proxy answers 407"), std::string::npos) << got.failure().message;
  EXPECT_EQ(got.failure().native, HttpClient::kNotSent);
  ASSERT_EQ(proxy.heads().size(), 1U);
  EXPECT_TRUE(proxy.heads()[0].starts_with("CONNECT store.example:443 HTTP/1.1\r\n")) << proxy.heads()[0];
  EXPECT_EQ(FakeStore::header(proxy.heads()[0], "Proxy-Authorization"), "Basic bWU6cHc=");
}

}  // namespace
}  // namespace fs_s3
