// SPDX-License-Identifier: Apache-2.0
//
// A store that answers as a test says, one connection at a time. Its answers are raw, so that they can be broken.
#pragma once

#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "encoding.h"
#include "endpoint.h"

namespace fs_s3 {

class FakeStore {
 public:
  // From the request's head, all of it, to the answer. On the store's thread.
  using Answer = std::function<std::string(const std::string& head)>;
  explicit FakeStore(Answer answer) : answer_(std::move(answer)) {
    socket_.bind(Poco::Net::SocketAddress("127.0.0.1", 0));
    socket_.listen();
    thread_ = std::thread([this] { run(); });
  }
  ~FakeStore() {
    stopping_ = true;
    thread_.join();
  }
  FakeStore(const FakeStore&) = delete;
  FakeStore& operator=(const FakeStore&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(socket_.address().port()); }
  Endpoint endpoint() const { return *Endpoint::parse(url()); }
  // First words of the requests so far.
  std::vector<std::string> methods() {
    std::vector<std::string> all;
    for (const auto& head : heads()) all.push_back(head.substr(0, head.find(' ')));
    return all;
  }
  std::vector<std::string> heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }
  std::vector<std::string> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  int connections() const { return connections_; }
  // The value of a header; empty: there is none. Names in the head are as the client sends them.
  static std::string header(const std::string& head, const std::string& name) {
    const auto at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }

  static std::string whole(int status, const std::string& body, const std::string& headers = "") {
    return "HTTP/1.1 " + std::to_string(status) + " Said\r\nConnection: close\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  // Its last chunk never comes.
  static std::string cut_off(const std::string& body) {
    constexpr char kHex[] = "0123456789abcdef";
    const std::string size{kHex[body.size() / 16 % 16], kHex[body.size() % 16]};
    return "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + size + "\r\n" + body + "\r\n";
  }

 private:
  void run() {
    while (!stopping_) {
      if (!socket_.poll(Poco::Timespan(0, 10'000), Poco::Net::Socket::SELECT_READ)) continue;
      try {
        auto client = socket_.acceptConnection();
        ++connections_;
        while (!stopping_ && serve(client)) {}
      } catch (const Poco::Exception&) {  // the client went away
      }
    }
  }
  // True: another request may follow on this connection.
  bool serve(Poco::Net::StreamSocket& client) {
    while (!client.poll(Poco::Timespan(0, 10'000), Poco::Net::Socket::SELECT_READ)) {
      if (stopping_) return false;
    }
    std::string request;
    std::size_t end = std::string::npos, body = 0;
    while ((end = request.find("\r\n\r\n")) == std::string::npos || request.size() < end + 4 + body) {
      char buffer[4096];
      const int got = client.receiveBytes(buffer, sizeof buffer);
      if (got <= 0) return false;
      request.append(buffer, static_cast<std::size_t>(got));
      const auto length = request.find("Content-Length: ");
      if (length != std::string::npos) body = std::stoul(request.substr(length + 16));
    }
    {
      const std::lock_guard lock(mutex_);
      heads_.push_back(request.substr(0, end + 2));
      bodies_.push_back(request.substr(end + 4));
      const auto sum = header(heads_.back(), "x-amz-content-sha256");
      if (!sum.empty()) {
        EXPECT_EQ(sum, sha256_hex(bodies_.back())) << heads_.back();
      }
    }
    const std::string answer = answer_(request.substr(0, end + 2));
    if (!answer.empty()) client.sendBytes(answer.data(), static_cast<int>(answer.size()));
    if (!answer.empty() && answer.find("Connection: close") == std::string::npos) return true;
    client.shutdownSend();
    return false;
  }

  const Answer answer_;
  Poco::Net::ServerSocket socket_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::vector<std::string> heads_, bodies_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace fs_s3
