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
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/SocketImpl.h>
#include <Poco/URI.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <istream>
#include <ostream>

#include "hook-common/fd.h"
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

  Impl(Watchdog& dog_in, Poco::Net::Context::Ptr tls_in, Resolver::LookUp look_up)
      : dog(dog_in), tls(std::move(tls_in)), resolver(std::move(look_up)) {}
};

namespace {

// A request on its way. What connects, shakes hands or reads is ended by closing the connection under it.
class Trip {
 public:
  Trip(Watchdog& dog, Watchdog::Clock::time_point deadline, const HttpClient::Cancelled& cancelled)
      : dog_(dog), deadline_(deadline), cancelled_(cancelled) {}

  bool is_over() const { return late_ || unwanted_ || Watchdog::Clock::now() >= deadline_; }
  Failure end(const std::string& server) const {
    if (unwanted_) return {SP_E_CANCELLED, server + ": nobody waits for its answer any more", 0};
    return {SP_E_TIMED_OUT, server + ": no answer in time", 0};
  }
  Poco::Timespan left() const {
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(deadline_ - Watchdog::Clock::now());
    return {std::max<Poco::Timespan::TimeDiff>(time.count(), 1)};
  }
  // Until it is called off, because a connection may be made only after the end of its time.
  Watchdog::Watch watch(const Fd& connection) {
    return {dog_, next(), [this, number = connection.get()] {
              if (Watchdog::Clock::now() >= deadline_) late_ = true;
              if (!late_ && cancelled_()) unwanted_ = true;
              if (late_ || unwanted_) ::shutdown(number, SHUT_RDWR);
              return late_ ? Watchdog::Clock::now() + kLook : next();
            }};
  }

 private:
  Watchdog::Clock::time_point next() const { return std::min(deadline_, Watchdog::Clock::now() + kLook); }

  Watchdog& dog_;
  const Watchdog::Clock::time_point deadline_;
  const HttpClient::Cancelled& cancelled_;
  std::atomic<bool> late_ = false, unwanted_ = false;
};

// A number of our own, which stays the connection's whenever Poco closes its.
Fd second_number(const Poco::Net::StreamSocket& socket) {
  return Fd(::fcntl(socket.impl()->sockfd(), F_DUPFD_CLOEXEC, 0));
}

// To the first address that answers; each gets its part of the time. When none does, the first says why: the others
// may be of a kind that this machine cannot reach at all.
Poco::Net::StreamSocket connect(Trip& trip, const Resolver::Addresses& addresses, Poco::UInt16 port) {
  std::exception_ptr first;
  for (std::size_t i = 0;; ++i) {
    const Poco::Net::SocketAddress address(addresses[i], port);
    Poco::Net::StreamSocket socket(address.family());
    const Fd number = second_number(socket);
    const auto watch = trip.watch(number);
    try {
      socket.connect(address,
                     trip.left().totalMicroseconds() / static_cast<Poco::Timespan::TimeDiff>(addresses.size() - i));
      return socket;
    } catch (const Poco::Exception&) {
      if (!first) first = std::current_exception();
      if (i + 1 == addresses.size() || trip.is_over()) std::rethrow_exception(first);
    }
  }
}

Poco::Net::StreamSocket with_tls(const Poco::Net::StreamSocket& plain, const std::string& host,
                                 const Poco::Net::Context::Ptr& tls) {
  const auto secure = Poco::Net::SecureStreamSocket::attach(plain, host, tls);  // whom the certificate must name
  return Poco::Net::StreamSocket(static_cast<const Poco::Net::Socket&>(secure));
}

}  // namespace

HttpClient::HttpClient(Watchdog& dog, const std::string& ca_file, Resolver::LookUp look_up) {
  using Poco::Net::Context;
  Context::Ptr tls = new Context(Context::TLS_CLIENT_USE, "", "", ca_file, Context::VERIFY_STRICT, kTlsDepth,
                                 ca_file.empty(), "HIGH:!aNULL:!MD5");
  tls->requireMinimumProtocol(Context::PROTO_TLSV1_2);
  tls->enableExtendedCertificateVerification(true);
  impl_ = std::make_unique<Impl>(dog, std::move(tls), std::move(look_up));
}

HttpClient::~HttpClient() = default;

Outcome<Answer> HttpClient::request(const std::string& url, std::string_view body, Watchdog::Clock::time_point deadline,
                                    const Cancelled& cancelled) {
  Trip trip(impl_->dog, deadline, cancelled);
  const auto server = server_of(url);
  try {
    const Poco::URI uri(url);
    auto addresses = impl_->resolver.find(uri.getHost(), deadline, cancelled);
    if (!addresses) return addresses.failure();
    if (trip.is_over()) return Failure{SP_E_TIMED_OUT, server + ": no time was left for it", 0};
    auto socket = connect(trip, *addresses, uri.getPort());
    const Fd number = second_number(socket);
    const auto watch = trip.watch(number);
    // The watch comes first, and knows why.
    const Poco::Timespan time = trip.left() + Poco::Timespan(1, 0);
    socket.setSendTimeout(time);
    socket.setReceiveTimeout(time);
    // Poco's session for https connects on its own or not at all.
    const auto session = std::make_unique<HTTPClientSession>(
        uri.getScheme() == "https" ? with_tls(socket, uri.getHost(), impl_->tls) : socket);
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
    if (trip.is_over()) return trip.end(server);
    if (cut) return Failure{SP_E_IO, server + ": the answer is not whole", 0};
    return Answer{static_cast<int>(response.getStatus()), std::move(*text)};
  } catch (const Poco::TimeoutException&) {
    return trip.end(server);
  } catch (const Poco::Exception& e) {
    if (trip.is_over()) return trip.end(server);
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
