// SPDX-License-Identifier: Apache-2.0
//
// From Poco's request to ours, and back. Order: is there such a route, may this client use it (no page from
// elsewhere, then the password), then its body, then the handler. Whatever goes wrong ends here. A body that was not
// read to its end ends the connection: what is left of it must not be taken for the next request.
#include "connection.h"

#include <Poco/Base64Decoder.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServerConnection.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/URI.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

#include "background.h"
#include "http_limits.h"
#include "server.h"

namespace admin_http {

namespace net = Poco::Net;
using Clock = std::chrono::steady_clock;

namespace {

Poco::Timespan timespan(std::chrono::seconds time) { return {static_cast<long>(time.count()), 0}; }

bool has_body(const net::HTTPServerRequest& request) {
  return request.getChunkedTransferEncoding() || (request.hasContentLength() && request.getContentLength64() != 0);
}

// False when it is larger than allowed. What follows the limit is read and dropped, within reason: a client that is cut
// off while it sends never sees the answer.
bool read_body(net::HTTPServerRequest& request, std::string& body) {
  if (!has_body(request)) return true;
  std::string block(16384, '\0');
  std::size_t total = 0;
  while (total <= limits::kDiscardedBytes) {
    request.stream().read(block.data(), static_cast<std::streamsize>(block.size()));
    const auto got = static_cast<std::size_t>(request.stream().gcount());
    if (got == 0) break;
    total += got;
    if (total <= limits::kBodyBytes) body.append(block, 0, got);
  }
  // The part that came may well be JSON.
  if (!request.getChunkedTransferEncoding() && total < static_cast<std::size_t>(request.getContentLength64()) &&
      total <= limits::kDiscardedBytes) {
    throw std::runtime_error("the body was cut off");
  }
  return total <= limits::kBodyBytes;
}

void drop_body(net::HTTPServerRequest& request) {
  try {
    std::string dropped;
    read_body(request, dropped);
  } catch (const std::exception&) {  // the client is gone
    return;
  }
}

bool allowed(const net::HTTPServerRequest& request, PasswordFile* passwords) {
  if (passwords == nullptr) return true;
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
  return colon != std::string::npos && passwords->allows(text.substr(0, colon), text.substr(colon + 1));
}

Source source_of(const net::HTTPServerRequest& request) {
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

class RequestHandler : public net::HTTPRequestHandler {
 public:
  explicit RequestHandler(Server& server) : server_(server) {}

  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    const auto begin = Clock::now();
    auto* const connection = Watch::Connection::current();
    Answer answer;
    bool read_to_end = !has_body(request);
    try {
      answer = answer_to(request, read_to_end, connection);
    } catch (const std::exception&) {  // a malformed request: the socket, its encoding, its characters
      answer = envelope(400, "malformed request", "");
    }
    if (connection != nullptr) connection->allow_answer(server_.times().answer);
    server_.services().metrics.count(answer.status);
    if (!read_to_end) response.setKeepAlive(false);
    send(answer, response);
    if (!read_to_end) drop_body(request);
    log(request, answer, begin);
    if (connection != nullptr) connection->allow(server_.times().request);
  }

 private:
  Answer answer_to(net::HTTPServerRequest& request, bool& read_to_end, Watch::Connection* connection) {
    Request ours;
    ours.method = request.getMethod();
    const Poco::URI uri(request.getURI());
    ours.path = uri.getPath();
    for (const auto& [name, value] : uri.getQueryParameters()) ours.query.emplace(name, value);
    auto match = find_route(routes(), ours.method, ours.path);
    if (match.route == nullptr) return match.refusal;
    if (!match.route->open) {
      if (const auto why = refuses(source_of(request), server_.own_names())) return envelope(403, *why, "");
      if (!allowed(request, server_.passwords())) return unauthorized(ours.path);
    }
    ours.parameter = std::move(match.parameter);
    if (!read_body(request, ours.body)) return envelope(413, "request body too large", "");
    read_to_end = true;
    if (connection != nullptr) connection->allow_any_time();  // what we take is not the client's fault
    return run_handler(*match.route, ours, server_.services());
  }

  static void send(const Answer& answer, net::HTTPServerResponse& response) {
    try {
      response.setStatusAndReason(static_cast<net::HTTPResponse::HTTPStatus>(answer.status));
      if (!answer.challenge.empty()) response.set("WWW-Authenticate", answer.challenge);
      response.setContentType(answer.type);
      response.sendBuffer(answer.body.data(), answer.body.size());
    } catch (const std::exception&) {  // the client is gone
      response.setKeepAlive(false);
    }
  }

  void log(const net::HTTPServerRequest& request, const Answer& answer, Clock::time_point begin) const {
    const auto short_text = [](const std::string& text) { return text.substr(0, limits::kLoggedTextBytes); };
    std::string remote = request.get("X-Real-IP", request.get("X-Forwarded-For", ""));
    remote.resize(std::min(remote.find(','), remote.size()));  // the client; behind it stand proxies
    if (remote.empty()) remote = text_of(request.clientAddress());
    std::string id = request.get("X-Request-Id", "");
    if (id.empty()) id = server_.next_request_id();
    const nlohmann::json line = {
        {"sender", "httpd"},
        {"method", short_text(request.getMethod())},
        {"proto", request.getVersion()},
        {"remote_addr", short_text(remote)},
        {"request_id", short_text(id)},
        {"uri",
         server_.scheme() + std::string("://") + short_text(request.get("Host", "")) + short_text(request.getURI())},
        {"user_agent", short_text(request.get("User-Agent", ""))},
        {"resp_status", answer.status},
        {"resp_size", request.getMethod() == net::HTTPRequest::HTTP_HEAD ? 0 : answer.body.size()},
        {"elapsed_ms", std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count()}};
    const auto* info = server_.services().host.info;
    const std::string text = line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    info->log_http(info->ctx, sallyport::str(text));
  }

  Server& server_;
};

class HandlerFactory : public net::HTTPRequestHandlerFactory {
 public:
  explicit HandlerFactory(Server& server) : server_(server) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return new RequestHandler(server_);
  }

 private:
  Server& server_;
};

class Connection : public net::HTTPServerConnection {
 public:
  Connection(Server& server, const net::StreamSocket& socket, net::HTTPServerParams::Ptr params)
      : HTTPServerConnection(socket, params, new HandlerFactory(server)), server_(server) {}

  void run() {
    work_in_background();
    Watch::Connection connection(server_.watch(), socket().impl()->sockfd());
    connection.allow(server_.times().request);
    try {
      HTTPServerConnection::run();
    } catch (const std::exception&) {  // the client is gone, or its handshake failed
      return;
    }
  }

 private:
  Server& server_;
};

}  // namespace

net::HTTPServerParams::Ptr http_params(const limits::Times& times) {
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  params->setMaxThreads(limits::kThreads);
  params->setMaxQueued(limits::kQueued);
  params->setTimeout(timespan(times.silence));
  params->setKeepAlive(true);
  params->setKeepAliveTimeout(timespan(times.idle));
  params->setMaxKeepAliveRequests(limits::kRequestsPerConnection);
  return params;
}

net::TCPServerConnection* ConnectionFactory::createConnection(const net::StreamSocket& socket) {
  return new Connection(server_, socket, params_);
}

}  // namespace admin_http
