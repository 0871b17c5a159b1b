// SPDX-License-Identifier: Apache-2.0
//
// From a server's name to a connection.
#include "connection.h"

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <vector>

#include "fake_store_test.h"
#include "http_client.h"

namespace fs_s3 {
namespace {

using Clock = std::chrono::steady_clock;
using Addresses = hook_common::Resolver::Addresses;

HttpClient client_that_finds(hook_common::Resolver::LookUp look_up) {
  return HttpClient(HttpClient::Settings{}, std::move(look_up));
}

HttpRequest request() {
  HttpRequest one;
  one.method = "GET";
  one.target = "/x";
  return one;
}

Endpoint named(const FakeStore& store) {
  Endpoint endpoint = store.endpoint();
  endpoint.host = "store.example";
  return endpoint;
}

TEST(HttpNames, EveryAddressIsTried) {
  FakeStore store([](const auto&) { return FakeStore::whole(200, "here"); });
  auto client = client_that_finds([](const auto&) { return Addresses{"127.0.0.2", "127.0.0.1"}; });
  auto answer = client.call(named(store), request());
  ASSERT_TRUE(answer) << answer.failure().message;
  EXPECT_EQ(answer->body, "here");
}

TEST(HttpNames, WhatIsNotFoundIsSaid) {
  FakeStore store([](const auto&) { return std::string(); });
  auto client = client_that_finds([](const auto&) -> Outcome<Addresses> {
    return Failure{SP_E_IO, "no such name", 0};
  });
  auto answer = client.call(named(store), request());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().native, HttpClient::kNotSent);
  EXPECT_NE(answer.failure().message.find("store.example: no such name"), std::string::npos)
      << answer.failure().message;
}

// They take connections only as far as their queues have room, and those are full.
TEST(HttpNames, ManySilentAddressesHaveOneEndTogether) {
  Poco::Net::ServerSocket silent;
  silent.bind(Poco::Net::SocketAddress("0.0.0.0", 0));
  silent.listen(1);
  std::vector<Poco::Net::StreamSocket> filling(8);
  for (auto& socket : filling) socket.connectNB(Poco::Net::SocketAddress("127.0.0.1", silent.address().port()));
  auto client = client_that_finds([](const auto&) { return Addresses(8, "127.0.0.1"); });
  auto asked = request();
  const auto begun = Clock::now();
  asked.until = begun + std::chrono::seconds(1);
  const Endpoint endpoint = *Endpoint::parse("http://store.example:" + std::to_string(silent.address().port()));
  EXPECT_FALSE(client.call(endpoint, asked));
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5));
}

TEST(HttpNames, ALookUpWithoutEndKeepsNobody) {
  const auto answers = std::make_shared<std::promise<void>>();  // the thread may outlive the test
  auto client = client_that_finds([done = answers->get_future().share(), answers](const auto&) {
    done.wait();
    return Addresses{"127.0.0.1"};
  });
  FakeStore store([](const auto&) { return std::string(); });
  const auto begun = Clock::now();
  HttpRequest asked = request();
  asked.until = begun + std::chrono::milliseconds(300);
  EXPECT_EQ(client.call(named(store), asked).failure().native, HttpClient::kNotSent);
  asked.until = Clock::time_point::max();
  asked.stop = [] { return true; };
  EXPECT_EQ(client.call(named(store), asked).failure().native, HttpClient::kNotSent);
  EXPECT_LT(Clock::now() - begun, HttpClient::Settings{}.connect_timeout);
  answers->set_value();
}

}  // namespace
}  // namespace fs_s3
