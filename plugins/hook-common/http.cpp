// SPDX-License-Identifier: Apache-2.0
//
// Poco's client with an end to it: its time-outs hold for single reads, so that the watchdog closes the connection of a
// server that sends a byte now and then. Names are looked up beside it, because Poco cannot be stopped doing so. Error
// texts name the server, never path, query or body, where secrets may be.
#include "hook-common/http.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPBasicCredentials.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPCredentials.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/SocketImpl.h>
#include <Poco/URI.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <istream>
#include <ostream>

#include "hook-common/resolver.h"

namespace hook_common {
namespace {

using Poco::Net::HTTPClientSession;
using sallyport::Failure;
using sallyport::Outcome;

constexpr std::size_t kMostAnswer = 1024 * 1024;
constexpr int kTlsDepth = 9;

Outcome<std::string> read_body(std::istream& in) {
  std::string body;
  std::array<char, 8192> part;
  while (in.good()) {
    in.read(part.data(), part.size());
    body.append(part.data(), static_cast<std::size_t>(in.gcount()));
    if (body.size() > kMostAnswer) return Failure{SP_E_INVALID, "answers with more than 1 MiB", 0};
  }
  return body;
}

}  // namespace

struct HttpClient::Impl {
  Watchdog& dog;
  Poco::Net::Context::Ptr tls;
  Resolver resolver;

  Impl(Watchdog& dog_in, Poco::Net::Context::Ptr tls_in) : dog(dog_in), tls(std::move(tls_in)) {}
  static bool is_secure(const Poco::URI& uri) { return uri.getScheme() == "https"; }
  // Not connected yet.
  Poco::Net::StreamSocket make_socket(const Poco::URI& uri) const {
    if (!is_secure(uri)) return {};
    Poco::Net::SecureStreamSocket socket(tls);
    socket.setPeerHostName(uri.getHost());  // whom the certificate must name
    return Poco::Net::StreamSocket(static_cast<const Poco::Net::Socket&>(socket));
  }
};

HttpClient::HttpClient(Watchdog& dog, const std::string& ca_file) {
  using Poco::Net::Context;
  Context::Ptr tls = new Context(Context::TLS_CLIENT_USE, "", "", ca_file, Context::VERIFY_STRICT, kTlsDepth,
                                 ca_file.empty(), "HIGH:!aNULL:!MD5");
  tls->requireMinimumProtocol(Context::PROTO_TLSV1_2);
  tls->enableExtendedCertificateVerification(true);
  impl_ = std::make_unique<Impl>(dog, std::move(tls));
}

HttpClient::~HttpClient() = default;

Outcome<Answer> HttpClient::request(const std::string& url, std::string_view body, Watchdog::Clock::time_point deadline,
                                    const Cancelled& cancelled) {
  std::atomic<bool> late = false;
  std::atomic<bool> unwanted = false;
  const auto ended = [&](const std::string& server) {
    if (unwanted) return Failure{SP_E_CANCELLED, server + ": nobody waits for its answer any more", 0};
    return Failure{SP_E_TIMED_OUT, server + ": no answer in time", 0};
  };
  const auto server = server_of(url);
  try {
    const Poco::URI uri(url);
    auto address = impl_->resolver.find(uri.getHost(), deadline, cancelled);
    if (!address) return address.failure();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Watchdog::Clock::now()).count();
    if (left <= 0) return Failure{SP_E_TIMED_OUT, server + ": no time was left for it", 0};
    const Poco::Timespan time(left * 1000);
    auto socket = impl_->make_socket(uri);
    std::unique_ptr<HTTPClientSession> session;  // closes the socket, and so must outlive the watch
    // Until it is called off, because a connection may be made only after the end of its time.
    const Watchdog::Watch watch(
        impl_->dog, std::min(deadline, Watchdog::Clock::now() + kLook), [&, raw = socket.impl()] {
          if (Watchdog::Clock::now() >= deadline) late = true;
          if (!late && cancelled()) unwanted = true;
          // Not closed: its number must stay its own as long as the session reads from it.
          if (late || unwanted) ::shutdown(raw->sockfd(), SHUT_RDWR);
          return late ? Watchdog::Clock::now() + kLook : std::min(deadline, Watchdog::Clock::now() + kLook);
        });
    socket.connect(Poco::Net::SocketAddress(*address, uri.getPort()), time);
    socket.setSendTimeout(time);
    socket.setReceiveTimeout(time);
    session = std::make_unique<HTTPClientSession>(socket);  // Poco's for https connects on its own or not at all
    auto path = uri.getPathAndQuery();
    if (path.empty() || path.front() != '/') path.insert(0, "/");
    using Poco::Net::HTTPRequest;
    HTTPRequest request(body.empty() ? HTTPRequest::HTTP_GET : HTTPRequest::HTTP_POST, path, HTTPRequest::HTTP_1_1);
    request.setHost(uri.getHost(), uri.getPort());
    request.set("User-Agent", "Sallyport");
    if (!uri.getUserInfo().empty()) {
      std::string encoded[2];
      std::string plain[2];
      Poco::Net::HTTPCredentials::extractCredentials(uri, encoded[0], encoded[1]);
      for (int i : {0, 1}) Poco::URI::decode(encoded[i], plain[i]);
      Poco::Net::HTTPBasicCredentials(plain[0], plain[1]).authenticate(request);
    }
    if (!body.empty()) {
      request.setContentType("application/json");
      request.setContentLength64(static_cast<Poco::Int64>(body.size()));
    }
    session->sendRequest(request).write(body.data(), static_cast<std::streamsize>(body.size())).flush();
    Poco::Net::HTTPResponse response;
    auto text = read_body(session->receiveResponse(response));
    if (!text) return Failure{text.failure().status, server + ": " + text.failure().message, 0};
    const bool cut =
        response.hasContentLength() && response.getContentLength64() > static_cast<Poco::Int64>(text->size());
    if (late || unwanted) return ended(server);
    if (cut) return Failure{SP_E_IO, server + ": the answer is not whole", 0};
    return Answer{static_cast<int>(response.getStatus()), std::move(*text)};
  } catch (const Poco::TimeoutException&) {
    return ended(server);
  } catch (const Poco::Exception& e) {
    if (late || unwanted) return ended(server);
    return Failure{SP_E_IO, server + ": " + e.displayText(), e.code()};
  }
}

bool is_http_url(const std::string& url) {
  try {
    const Poco::URI uri(url);
    return (uri.getScheme() == "http" || uri.getScheme() == "https") && !uri.getHost().empty();
  } catch (const Poco::Exception&) {
    return false;
  }
}

std::string server_of(const std::string& url) {
  try {
    const Poco::URI uri(url);
    return uri.getScheme() + "://" + uri.getHost() + ":" + std::to_string(uri.getPort());
  } catch (const Poco::Exception&) {
    return "a service";
  }
}

}  // namespace hook_common
