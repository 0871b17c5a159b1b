// SPDX-License-Identifier: Apache-2.0
//
// Poco reads the lines of a head; where a body begins and ends is settled here (RFC 9112, sections 6 and 7). A head
// that is wrong throws Poco's MessageException, a body std::runtime_error: what came of it may have looked whole.
#include "session.h"

#include <Poco/Net/HTTPHeaderStream.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/String.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>

#include "http_limits.h"

namespace admin_http {

namespace net = Poco::Net;

namespace {

constexpr int kEnd = std::char_traits<char>::eof();

// The whole text, and nothing but digits.
bool read_number(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Poco takes a blank before the colon for a part of the name, others do not.
bool is_name(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           kMarks.find(letter) != std::string_view::npos;
  });
}

Framing framing_of(const net::HTTPRequest& request) {
  Framing framing;
  int lengths = 0;
  for (const auto& [name, value] : request) {
    if (!is_name(name)) throw net::MessageException("the name of a header is none");
    if (Poco::icompare(name, net::HTTPMessage::CONTENT_LENGTH) == 0) {
      if (++lengths > 1 || !read_number(value, framing.length)) throw net::MessageException("Content-Length");
    } else if (Poco::icompare(name, net::HTTPMessage::TRANSFER_ENCODING) == 0) {
      if (framing.chunked || Poco::icompare(value, net::HTTPMessage::CHUNKED_TRANSFER_ENCODING) != 0) {
        throw net::MessageException("Transfer-Encoding");
      }
      framing.chunked = true;
    }
  }
  // Who speaks 1.0 does not know chunks.
  if (framing.chunked && (lengths > 0 || request.getVersion() == net::HTTPMessage::HTTP_1_0)) {
    throw net::MessageException("Transfer-Encoding");
  }
  return framing;
}

}  // namespace

// Poco would take four system calls to wait for a request: it makes an epoll descriptor for each.
bool Session::waits_for_request(std::chrono::seconds time) {
  if (buffered() > 0) return true;
  if (socket().secure()) {  // it may hold bytes itself
    return socket().poll({static_cast<long>(time.count()), 0}, net::Socket::SELECT_READ);
  }
  pollfd connection{socket().impl()->sockfd(), POLLIN, 0};
  int ready = -1;
  do {
    ready = ::poll(&connection, 1, static_cast<int>(std::chrono::milliseconds(time).count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Framing Session::read_head(net::HTTPRequest& request) {
  skip_empty_line();
  net::HTTPHeaderInputStream head(*this);
  request.read(head);
  if (!head.good()) throw net::MessageException("the head was cut off");
  if (const auto& version = request.getVersion();
      version != net::HTTPMessage::HTTP_1_1 && version != net::HTTPMessage::HTTP_1_0) {
    throw net::MessageException("an unknown version");
  }
  return framing_of(request);
}

// Some clients send one after a body (RFC 9112 section 2.2).
void Session::skip_empty_line() {
  if (peek() == '\r') {
    get();
    if (peek() != '\n') throw net::MessageException("a line without its end");
  }
  if (peek() == '\n') get();
}

std::string Session::read_line(std::size_t most) {
  std::string line;
  for (int byte = get(); byte != '\r'; byte = get()) {
    if (byte == kEnd || byte == '\n' || line.size() == most) throw std::runtime_error("the body is malformed");
    line += static_cast<char>(byte);
  }
  if (get() != '\n') throw std::runtime_error("the body is malformed");
  return line;
}

bool Session::send(const std::string& head, std::string_view body) {
  try {
    if (body.size() > limits::kOnePieceBytes) return send_all(head) && send_all(body);
    return send_all(head + std::string(body));
  } catch (const std::exception&) {
    return false;
  }
}

bool Session::send_all(std::string_view text) {
  while (!text.empty()) {
    const int sent = write(text.data(), static_cast<std::streamsize>(std::min(text.size(), limits::kOnePieceBytes)));
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t Body::read(char* into, std::size_t size) {
  if (chunked_ && left_ == 0 && !ended_) begin_chunk();
  if (left_ == 0) return 0;
  const int got = session_.read(into, static_cast<std::streamsize>(std::min<std::uint64_t>(size, left_)));
  // The part that came may well be JSON.
  if (got <= 0) throw std::runtime_error("the body was cut off");
  left_ -= static_cast<std::uint64_t>(got);
  if (chunked_ && left_ == 0) session_.read_line(0);
  return static_cast<std::size_t>(got);
}

void Body::begin_chunk() {
  const auto line = session_.read_line(limits::kChunkLineBytes);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  std::string_view rest(end, static_cast<std::size_t>(line.data() + line.size() - end));
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  if (error != std::errc() || (!rest.empty() && rest.front() != ';')) throw std::runtime_error("the body is malformed");
  if (left_ == 0) read_trailers();
}

void Body::read_trailers() {
  std::size_t left = limits::kTrailerBytes;
  for (auto line = session_.read_line(left); !line.empty(); line = session_.read_line(left)) left -= line.size();
  ended_ = true;
}

}  // namespace admin_http
