// SPDX-License-Identifier: Apache-2.0
//
// Requests to servers that answer on one of their addresses only, or say nothing where TLS begins.
#include "hook-common/http.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "hook-common/fd.h"

namespace hook_common {
namespace {

using namespace std::chrono_literals;
using sallyport::Outcome;

bool nobody_left() { return false; }
auto within(std::chrono::milliseconds time) { return Watchdog::Clock::now() + time; }

// Listens on one address of this machine. Whoever connects is answered by the kernel alone, until answer().
class Server {
 public:
  explicit Server(const char* address) : is_six_(std::string(address).find(':') != std::string::npos) {
    listener_ = Fd(::socket(is_six_ ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage raw{};
    auto& six = reinterpret_cast<sockaddr_in6&>(raw);
    auto& four = reinterpret_cast<sockaddr_in&>(raw);
    raw.ss_family = is_six_ ? AF_INET6 : AF_INET;
    ::inet_pton(raw.ss_family, address, is_six_ ? static_cast<void*>(&six.sin6_addr) : &four.sin_addr);
    socklen_t size = is_six_ ? sizeof six : sizeof four;
    const timeval patience{20, 0};  // for somebody to answer
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    works_ = ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&raw), size) == 0 && ::listen(listener_.get(), 8) == 0;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&raw), &size);
    port_ = ntohs(is_six_ ? six.sin6_port : four.sin_port);
  }
  bool works() const { return works_; }
  std::string port() const { return std::to_string(port_); }
  void answer() const {
    const Fd peer(::accept(listener_.get(), nullptr, nullptr));
    char request[4096];
    EXPECT_GT(::recv(peer.get(), request, sizeof request, 0), 0);
    constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    EXPECT_EQ(::send(peer.get(), kAnswer.data(), kAnswer.size(), 0), static_cast<ssize_t>(kAnswer.size()));
  }

 private:
  const bool is_six_;
  bool works_ = false;
  Fd listener_;
  std::uint16_t port_ = 0;
};

Resolver::LookUp gives(Resolver::Addresses addresses) {
  return [addresses](const std::string&) -> Outcome<Resolver::Addresses> { return addresses; };
}

TEST(HttpClient, EveryAddressOfANameIsTried) {
  Watchdog dog;
  for (const char* there : {"127.0.0.1", "::1", "127.0.0.3"}) {
    const Server server(there);
    if (!server.works()) GTEST_SKIP() << "no " << there << " here";
    HttpClient client(dog, "", gives({"127.0.0.1", "127.0.0.2", "::1", "127.0.0.3"}));
    std::thread answering([&] { server.answer(); });
    auto answer = client.request("http://name.test:" + server.port() + "/", "", within(20s), nobody_left);
    answering.join();
    ASSERT_TRUE(answer) << answer.failure().message;
    EXPECT_EQ(answer->body, "ok");
  }
}

TEST(HttpClient, WhenNoAddressAnswersItSaysSo) {
  Watchdog dog;
  std::string port = "";
  {
    const Server closed("127.0.0.1");
    port = closed.port();
  }
  HttpClient client(dog, "", gives({"127.0.0.1", "127.0.0.2"}));
  auto answer = client.request("http://name.test:" + port + "/", "", within(20s), nobody_left);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().status, SP_E_IO);
  EXPECT_TRUE(answer.failure().message.starts_with("http://name.test:" + port + ": ")) << answer.failure().message;
}

TEST(HttpClient, ASilentHandshakeEndsAtTheDeadline) {
  Watchdog dog;
  const Server silent("127.0.0.1");
  HttpClient client(dog, "");
  const auto begun = Watchdog::Clock::now();
  auto answer = client.request("https://localhost:" + silent.port() + "/", "", within(500ms), nobody_left);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().status, SP_E_TIMED_OUT) << answer.failure().message;
  EXPECT_LT(Watchdog::Clock::now() - begun, 10s);
}

TEST(HttpClient, ASilentHandshakeEndsWhenNobodyWaits) {
  Watchdog dog;
  const Server silent("127.0.0.1");
  HttpClient client(dog, "");
  std::atomic<int> looks = 0;
  auto answer =
      client.request("https://localhost:" + silent.port() + "/", "", within(60s), [&] { return ++looks > 2; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().status, SP_E_CANCELLED) << answer.failure().message;
}

}  // namespace
}  // namespace hook_common
