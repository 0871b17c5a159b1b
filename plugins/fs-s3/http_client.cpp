// SPDX-License-Identifier: Apache-2.0
//
// Poco's sessions, made and kept. A connection goes back only when its answer was read to the end and nothing about it
// was odd: one whose server answered before it had the whole request would mix up what follows.
#include "http_client.h"

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/String.h>

#include <istream>
#include <ostream>
#include <utility>

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxBodyBytes = 8 * 1024 * 1024;  // of an answer that is text; a full listing is about 1 MiB
constexpr auto kIdleTime = std::chrono::seconds(20);    // servers close after a minute or so
constexpr std::size_t kReadStep = 64 * 1024;

Poco::Timespan span_of(std::chrono::seconds time) { return {static_cast<long>(time.count()), 0}; }

Failure not_connected(const Endpoint& endpoint, const std::string& why) {
  return {SP_E_IO, "no connection to " + endpoint.authority() + ": " + why, HttpClient::kNotSent};
}

Failure no_answer(const Endpoint& endpoint, const std::string& why) {
  return {SP_E_IO, "no answer from " + endpoint.authority() + ": " + why, 0};
}

// False: it ended before its length was reached, or goes on beyond what is sensible.
bool read_text(std::istream& in, std::streamsize length, std::string& out) {
  while (in.good()) {
    const std::size_t have = out.size();
    if (have > kMaxBodyBytes) return false;
    out.resize(have + kReadStep);
    in.read(out.data() + have, kReadStep);
    out.resize(have + static_cast<std::size_t>(in.gcount()));
  }
  return length < 0 || static_cast<std::streamsize>(out.size()) == length;
}

bool read_data(std::istream& in, std::span<std::byte> into) {
  in.read(reinterpret_cast<char*>(into.data()), static_cast<std::streamsize>(into.size()));
  if (in.gcount() != static_cast<std::streamsize>(into.size())) return false;
  return in.peek() == std::istream::traits_type::eof();
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpClient::HttpClient(const Settings& settings) : settings_(settings) {}

HttpClient::Session HttpClient::take(const Endpoint& endpoint) {
  const auto oldest = std::chrono::steady_clock::now() - kIdleTime;
  const std::lock_guard lock(mutex_);
  auto& waiting = kept_[endpoint];
  std::erase_if(waiting, [&](const Kept& kept) { return kept.since < oldest; });
  if (waiting.empty()) return nullptr;
  Session session = std::move(waiting.back().session);
  waiting.pop_back();
  return session;
}

void HttpClient::keep(const Endpoint& endpoint, Session session) {
  const std::lock_guard lock(mutex_);
  auto& waiting = kept_[endpoint];
  if (waiting.size() < settings_.max_idle) waiting.push_back({std::move(session), std::chrono::steady_clock::now()});
}

HttpClient::Session HttpClient::connect(const Endpoint& endpoint) {
  using Poco::Net::Context;
  Session session;
  if (endpoint.tls) {
    Context::Ptr context;
    {
      const std::lock_guard lock(mutex_);
      if (!context_) {
        context_ = new Context(Context::TLS_CLIENT_USE, settings_.ca_file, Context::VERIFY_STRICT, 9,
                               settings_.ca_file.empty(), "HIGH:!aNULL:!MD5");
        context_->requireMinimumProtocol(Context::PROTO_TLSV1_2);
        context_->enableExtendedCertificateVerification(true);
      }
      context = context_;
    }
    session = std::make_unique<Poco::Net::HTTPSClientSession>(endpoint.host, endpoint.port, context);
  } else {
    session = std::make_unique<Poco::Net::HTTPClientSession>(endpoint.host, endpoint.port);
  }
  if (const auto proxy = proxy_for(endpoint)) {
    session->setProxy(proxy->host, proxy->port);
    if (!proxy->user.empty()) session->setProxyCredentials(proxy->user, proxy->password);
  }
  session->setKeepAlive(true);
  session->setKeepAliveTimeout(span_of(kIdleTime * 2));  // when to give one up is decided here
  session->setTimeout(span_of(settings_.connect_timeout), span_of(settings_.timeout), span_of(settings_.timeout));
  return session;
}

Outcome<HttpAnswer> HttpClient::exchange(const Endpoint& endpoint, Session session, const HttpRequest& request,
                                         std::span<std::byte> into) {
  Poco::Net::HTTPRequest head(request.method, request.target, Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : request.headers) head.set(name, value);
  const bool sends = request.method == "PUT" || request.method == "POST";
  if (sends) head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
  auto& out = session->sendRequest(head);
  if (sends) {
    out.write(reinterpret_cast<const char*>(request.body.data()), static_cast<std::streamsize>(request.body.size()));
    out.flush();
  }
  const bool sent = out.good();  // otherwise there may still be an answer that says why
  Poco::Net::HTTPResponse response;
  auto& in = session->receiveResponse(response);
  HttpAnswer answer;
  answer.status = response.getStatus();
  for (const auto& [name, value] : response) answer.headers[Poco::toLower(name)] = value;
  bool whole = true;
  if (request.method != "HEAD") {
    const auto length = response.hasContentLength() ? static_cast<std::streamsize>(response.getContentLength64()) : -1;
    whole = answer.ok() && !into.empty() ? read_data(in, into) : read_text(in, length, answer.body);
  }
  if (!whole) return no_answer(endpoint, "it ended early");
  if (sent && response.getKeepAlive()) keep(endpoint, std::move(session));
  return answer;
}

Outcome<HttpAnswer> HttpClient::call(const Endpoint& endpoint, const HttpRequest& request, std::span<std::byte> into,
                                     bool fresh) {
  // A kept connection may have been closed by the other side meanwhile: then once more, on a new one.
  if (Session kept = fresh ? nullptr : take(endpoint)) {
    try {
      return exchange(endpoint, std::move(kept), request, into);
    } catch (const Poco::TimeoutException&) {
      return no_answer(endpoint, "time-out");
    } catch (const Poco::Exception&) {  // as said
    }
  }
  return on_new_connection(endpoint, request, into);
}

Outcome<HttpAnswer> HttpClient::on_new_connection(const Endpoint& endpoint, const HttpRequest& request,
                                                  std::span<std::byte> into) {
  try {
    return exchange(endpoint, connect(endpoint), request, into);
  } catch (const Poco::TimeoutException&) {
    return no_answer(endpoint, "time-out");
  } catch (const Poco::Net::ConnectionRefusedException& e) {
    return not_connected(endpoint, e.displayText());
  } catch (const Poco::Net::DNSException& e) {
    return not_connected(endpoint, e.displayText());
  } catch (const Poco::Exception& e) {
    return no_answer(endpoint, e.displayText());
  }
}

}  // namespace fs_s3
