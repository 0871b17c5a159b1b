// SPDX-License-Identifier: Apache-2.0
//
// From Poco's request to ours, and back. Order: is there such a route, may this client use it (no page from
// elsewhere, then the password), then its body, then the handler. Whatever goes wrong ends here. A body that was not
// read to its end ends the connection: what is left of it must not be taken for the next request.
#include "connection.h"

#include <Poco/Base64Decoder.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Net/TCPServerConnection.h>
#include <Poco/URI.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "background.h"
#include "http_limits.h"
#include "server.h"
#include "session.h"

namespace admin_http {

namespace net = Poco::Net;
using Clock = std::chrono::steady_clock;

namespace {

Poco::Timespan timespan(std::chrono::seconds time) { return {static_cast<long>(time.count()), 0}; }

// False when it is larger than allowed. What follows the limit is read and dropped, within reason: a client that is cut
// off while it sends never sees the answer.
bool read_body(Body& stream, std::string& body) {
  std::string block(16384, '\0');
  std::size_t total = 0;
  while (total <= limits::kDiscardedBytes) {
    const auto got = stream.read(block.data(), block.size());
    if (got == 0) break;
    total += got;
    if (total <= limits::kBodyBytes) body.append(block, 0, got);
  }
  return total <= limits::kBodyBytes;
}

void drop_body(Body& stream) {
  try {
    std::string dropped;
    read_body(stream, dropped);
  } catch (const std::exception&) {  // the client is gone, or what it sends is no body
    return;
  }
}

bool allowed(const net::HTTPRequest& request, PasswordFile& passwords) {
  const std::string header = request.get("Authorization", "");
  constexpr std::string_view kBasic = "basic ";
  if (header.size() < kBasic.size() || Poco::icompare(header.substr(0, kBasic.size()), std::string(kBasic)) != 0) {
    return false;
  }
  std::string text;
  try {
    std::istringstream encoded(header.substr(kBasic.size()));
    Poco::Base64Decoder decoder(encoded);
    text.assign(std::istreambuf_iterator<char>(decoder), std::istreambuf_iterator<char>());
  } catch (const std::exception&) {
    return false;
  }
  const auto colon = text.find(':');
  return colon != std::string::npos && passwords.allows(text.substr(0, colon), text.substr(colon + 1));
}

Source source_of(const net::HTTPRequest& request) {
  return {request.get("Host", ""), request.get("Origin", ""), request.get("Sec-Fetch-Site", ""),
          request.get("Referer", "")};
}

// An IPv4 client of a socket for both protocols has an address that no other log line knows.
std::string text_of(const net::SocketAddress& client) {
  const auto host = client.host();
  if (!host.isIPv4Mapped()) return client.toString();
  const auto text = host.toString();  // ::ffff:192.0.2.1
  return text.substr(text.rfind(':') + 1) + ":" + std::to_string(client.port());
}

Answer unauthorized(const std::string& path) {
  Answer answer = path.starts_with("/api/v1/") ? envelope(401, "Unauthorized", "")
                                               : Answer{401, "text/plain; charset=utf-8", "Unauthorized\n"};
  answer.challenge = "Basic realm=\"SFTPGo Web\"";  // clients remember passwords by it
  return answer;
}

std::string head_of(const Answer& answer, const std::string& version, bool goes_on) {
  std::string head =
      version + ' ' + std::to_string(answer.status) + ' ' +
      net::HTTPResponse::getReasonForStatus(static_cast<net::HTTPResponse::HTTPStatus>(answer.status)) +
      "\r\nDate: " + Poco::DateTimeFormatter::format(Poco::Timestamp(), Poco::DateTimeFormat::HTTP_FORMAT) +
      "\r\nContent-Type: " + answer.type + "\r\nContent-Length: " + std::to_string(answer.body.size());
  if (!answer.challenge.empty()) head += "\r\nWWW-Authenticate: " + answer.challenge;
  return head + (goes_on ? "\r\nConnection: Keep-Alive\r\n\r\n" : "\r\nConnection: Close\r\n\r\n");
}

// Of one connection.
class RequestHandler {
 public:
  RequestHandler(Server& server, Session& session, Watch::Connection& connection)
      : server_(server), session_(session), connection_(connection), client_(text_of(session.socket().peerAddress())) {}

  // False: the connection is of no more use.
  bool handle(const net::HTTPRequest& request, const Framing& framing, bool may_go_on) {
    const auto begin = Clock::now();
    Body body(session_, framing);
    bool read_to_end = !framing.has_body();
    std::optional<Answer> answer;
    try {
      answer = answer_to(request, body, read_to_end);
      if (!answer) return false;
    } catch (const std::exception&) {  // a malformed request: the socket, its encoding, its characters
      answer = envelope(400, "malformed request", "");
    }
    connection_.allow_answer(server_.times().answer);
    server_.services().metrics.count(answer->status);
    const bool goes_on = may_go_on && read_to_end && request.getKeepAlive();
    const bool with_body = request.getMethod() != net::HTTPRequest::HTTP_HEAD;
    const bool sent = session_.send(head_of(*answer, request.getVersion(), goes_on),
                                    with_body ? std::string_view(answer->body) : std::string_view());
    if (!read_to_end) drop_body(body);
    log(request, *answer, begin);
    connection_.allow(server_.times().request);
    return goes_on && sent;
  }

  // Of what is no request something may be known.
  void refuse(const net::HTTPRequest& request) {
    const Answer no_request{400, "text/plain; charset=utf-8", "Bad Request\n"};
    server_.services().metrics.count(no_request.status);
    session_.send(head_of(no_request, net::HTTPMessage::HTTP_1_1, false), no_request.body);
    log(request, no_request, Clock::now());
  }

 private:
  // None: the server ends, and this has not begun.
  std::optional<Answer> answer_to(const net::HTTPRequest& request, Body& body, bool& read_to_end) {
    Request ours;
    ours.method = request.getMethod();
    const Poco::URI uri(request.getURI());
    ours.path = uri.getPath();
    for (const auto& [name, value] : uri.getQueryParameters()) ours.query.emplace(name, value);
    auto match = find_route(routes(), ours.method, ours.path);
    if (match.route == nullptr) return match.refusal;
    if (!match.route->open) {
      if (const auto why = refuses(source_of(request), server_.own_names())) return envelope(403, *why, "");
      if (server_.passwords() != nullptr) {
        // Its file may lie where nobody answers.
        if (!connection_.allow_any_time("login")) return std::nullopt;
        const bool good = allowed(request, *server_.passwords());
        connection_.allow_rest();
        if (!good) return unauthorized(ours.path);
      }
    }
    ours.parameter = std::move(match.parameter);
    if (!read_to_end && !read_body(body, ours.body)) return envelope(413, "request body too large", "");
    read_to_end = true;
    // What we take is not the client's fault.
    if (!connection_.allow_any_time(ours.method + " " + ours.path)) return std::nullopt;
    return run_handler(*match.route, ours, server_.services());
  }

  void log(const net::HTTPRequest& request, const Answer& answer, Clock::time_point begin) const {
    const auto short_text = [](const std::string& text) { return text.substr(0, limits::kLoggedTextBytes); };
    std::string remote = request.get("X-Real-IP", request.get("X-Forwarded-For", ""));
    remote.resize(std::min(remote.find(','), remote.size()));  // the client; behind it stand proxies
    if (remote.empty()) remote = client_;
    std::string id = request.get("X-Request-Id", "");
    if (id.empty()) id = server_.next_request_id();
    std::string line = R"({"sender":"httpd")";
    const auto text = [&line](std::string_view name, std::string_view value) {
      line += ',';
      append_quoted(line, name);
      line += ':';
      append_quoted(line, value);
    };
    const auto number = [&line](std::string_view name, std::int64_t value) {
      line += ',';
      append_quoted(line, name);
      line += ':' + std::to_string(value);
    };
    text("method", short_text(request.getMethod()));
    text("proto", request.getVersion());
    text("remote_addr", short_text(remote));
    text("request_id", short_text(id));
    text("uri",
         server_.scheme() + std::string("://") + short_text(request.get("Host", "")) + short_text(request.getURI()));
    text("user_agent", short_text(request.get("User-Agent", "")));
    number("resp_status", answer.status);
    number("resp_size", request.getMethod() == net::HTTPRequest::HTTP_HEAD ? 0 : std::ssize(answer.body));
    number("elapsed_ms", std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count());
    line += '}';
    const auto* info = server_.services().host.info;
    info->log_http(info->ctx, sallyport::str(line));
  }

  Server& server_;
  Session& session_;
  Watch::Connection& connection_;
  const std::string client_;
};

class Connection : public net::TCPServerConnection {
 public:
  Connection(Server& server, const net::StreamSocket& socket, net::HTTPServerParams::Ptr params)
      : TCPServerConnection(socket), server_(server), params_(std::move(params)) {}

  void run() override {
    work_in_background();
    try {
      Watch::Connection connection(server_.watch(), socket().impl()->sockfd());
      connection.allow(server_.times().request);
      Session session(socket(), params_);
      RequestHandler handler(server_, session, connection);
      auto patience = server_.times().silence;
      for (int left = limits::kRequestsPerConnection; session.waits_for_request(patience);
           patience = server_.times().idle)
        if (!serve_one(session, handler, connection, --left > 0)) return;
    } catch (const std::exception&) {  // the client is gone, its handshake failed, or there is no descriptor
      return;
    }
  }

 private:
  // False: it was the last one.
  static bool serve_one(Session& session, RequestHandler& handler, const Watch::Connection& connection,
                        bool may_go_on) {
    net::HTTPRequest request("", "", "");
    try {
      const auto framing = session.read_head(request);
      if (connection.ending()) return false;
      // Who speaks 1.0 does not know what that is (RFC 9110 section 10.1.1).
      const bool waits = request.getVersion() != net::HTTPMessage::HTTP_1_0 &&
                         Poco::icompare(request.get("Expect", ""), std::string("100-continue")) == 0;
      if (waits && !session.send("HTTP/1.1 100 Continue\r\n\r\n", {})) return false;
      return handler.handle(request, framing, may_go_on);
    } catch (const net::NoMessageException&) {
      return false;
    } catch (const net::MessageException&) {
      if (!connection.ending()) handler.refuse(request);
      return false;
    }
  }

  Server& server_;
  net::HTTPServerParams::Ptr params_;
};

}  // namespace

net::HTTPServerParams::Ptr http_params(const limits::Times& times) {
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(limits::kThreads);
  params->setMaxQueued(limits::kQueued);
  params->setTimeout(timespan(times.silence));
  return params;
}

net::TCPServerConnection* ConnectionFactory::createConnection(const net::StreamSocket& socket) {
  return new Connection(server_, socket, params_);
}

}  // namespace admin_http
