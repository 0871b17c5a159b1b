// SPDX-License-Identifier: Apache-2.0
//
// What comes and goes on one connection: heads of requests, bodies, answers. Stricter than Poco about where a request
// ends: a proxy that sees another end would let its clients hide a request in a body.
#pragma once

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPServerSession.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace admin_http {

struct Framing {
  bool chunked = false;
  std::uint64_t length = 0;  // where it is not
  bool has_body() const { return chunked || length > 0; }
};

class Session : public Poco::Net::HTTPServerSession {
 public:
  using HTTPServerSession::HTTPServerSession;

  bool waits_for_request(std::chrono::seconds time);
  // Throws Poco::Net::NoMessageException when nothing came, MessageException when it is no request that we take;
  // `request` may then hold a part of it.
  Framing read_head(Poco::Net::HTTPRequest& request);
  // In one piece, so that it is one packet when it fits. False: the client is gone.
  bool send(const std::string& head, std::string_view body);

 private:
  friend class Body;
  void skip_empty_line();
  std::string read_line(std::size_t most);
  bool send_all(std::string_view text);
};

class Body {
 public:
  Body(Session& session, const Framing& framing)
      : session_(session), chunked_(framing.chunked), left_(framing.chunked ? 0 : framing.length) {}
  // 0 at its end. Throws when it was cut off, or is not in chunks where it should be.
  std::size_t read(char* into, std::size_t size);

 private:
  void begin_chunk();
  void read_trailers();

  Session& session_;
  const bool chunked_;
  std::uint64_t left_;  // of the body, or of the chunk
  bool ended_ = false;
};

}  // namespace admin_http
