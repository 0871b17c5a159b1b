// SPDX-License-Identifier: Apache-2.0
//
// Poco's client with an end to it: its time-outs hold for single reads, so that the watchdog closes the connection of a
// server that sends a byte now and then. Names of hosts, no queries or bodies, are in error texts.
#include "hook-common/http.h"

#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/SocketImpl.h>
#include <Poco/URI.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <istream>
#include <ostream>

namespace hook_common {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

constexpr std::size_t kMostAnswer = 1024 * 1024;
constexpr int kTlsDepth = 9;
constexpr auto kLook = std::chrono::milliseconds(100);  // between two looks at whether somebody still waits for it

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
  const std::string ca_file;
  Poco::Net::Context::Ptr tls;

  std::unique_ptr<Poco::Net::HTTPClientSession> connect(const Poco::URI& uri) const {
    if (uri.getScheme() == "https")
      return std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort(), tls);
    return std::make_unique<Poco::Net::HTTPClientSession>(uri.getHost(), uri.getPort());
  }
};

HttpClient::HttpClient(Watchdog& dog, const std::string& ca_file) {
  using Poco::Net::Context;
  Context::Ptr tls = new Context(Context::TLS_CLIENT_USE, "", "", ca_file, Context::VERIFY_STRICT, kTlsDepth,
                                 ca_file.empty(), "HIGH:!aNULL:!MD5");
  tls->requireMinimumProtocol(Context::PROTO_TLSV1_2);
  tls->enableExtendedCertificateVerification(true);
  impl_.reset(new Impl{dog, ca_file, std::move(tls)});
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
  std::string host;
  try {
    const Poco::URI uri(url);
    host = uri.getHost();
    const auto session = impl_->connect(uri);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Watchdog::Clock::now()).count();
    if (left <= 0) return Failure{SP_E_TIMED_OUT, "no time was left for it", 0};
    session->setTimeout(Poco::Timespan(left * 1000));
    // Until it is called off, because a connection may be made only after the end of its time.
    const Watchdog::Watch watch(
        impl_->dog, std::min(deadline, Watchdog::Clock::now() + kLook), [&, raw = session.get()] {
          if (Watchdog::Clock::now() >= deadline) late = true;
          if (!late && cancelled()) unwanted = true;
          // Not closed: its number must stay its own as long as the session reads from it.
          if (late || unwanted) ::shutdown(raw->socket().impl()->sockfd(), SHUT_RDWR);
          return late ? Watchdog::Clock::now() + kLook : std::min(deadline, Watchdog::Clock::now() + kLook);
        });
    auto path = uri.getPathAndQuery();
    if (path.empty() || path.front() != '/') path.insert(0, "/");
    using Poco::Net::HTTPRequest;
    HTTPRequest request(body.empty() ? HTTPRequest::HTTP_GET : HTTPRequest::HTTP_POST, path, HTTPRequest::HTTP_1_1);
    request.set("User-Agent", "Sallyport");
    if (!body.empty()) {
      request.setContentType("application/json");
      request.setContentLength64(static_cast<Poco::Int64>(body.size()));
    }
    session->sendRequest(request).write(body.data(), static_cast<std::streamsize>(body.size())).flush();
    Poco::Net::HTTPResponse response;
    auto text = read_body(session->receiveResponse(response));
    if (!text) return Failure{text.failure().status, host + ": " + text.failure().message, 0};
    const bool cut =
        response.hasContentLength() && response.getContentLength64() > static_cast<Poco::Int64>(text->size());
    if (late || unwanted) return ended(host);
    if (cut) return Failure{SP_E_IO, host + ": the answer is not whole", 0};
    return Answer{static_cast<int>(response.getStatus()), std::move(*text)};
  } catch (const Poco::TimeoutException&) {
    return ended(host);
  } catch (const Poco::Exception& e) {
    if (late || unwanted) return ended(host);
    return Failure{SP_E_IO, host + ": " + e.displayText(), e.code()};
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

}  // namespace hook_common
