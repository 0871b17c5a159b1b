// SPDX-License-Identifier: Apache-2.0
//
// Poco's sessions, made and kept. A connection goes back only when its answer was read to the end and nothing about it
// was odd: one whose server answered before it had the whole request would mix up what follows. For the same reason
// none is kept after data was refused: the server may have answered before the end, and take what comes for the next
// request.
#include "http_client.h"

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SocketImpl.h>
#include <Poco/String.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <istream>
#include <ostream>
#include <utility>

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxBodyBytes = 8 * 1024 * 1024;  // of an answer that is text; a full listing is about 1 MiB
constexpr int kNoContent = 204;
constexpr auto kIdleTime = std::chrono::seconds(20);  // servers close after a minute or so
constexpr std::streamsize kWriteStep = 1024 * 1024, kTlsRecord = 16 * 1024;
constexpr std::streamsize kSlowest = 64 * 1024;  // bytes per second that let a request go on beyond its time

Poco::Timespan span_of(std::chrono::seconds time) { return {static_cast<long>(time.count()), 0}; }
const Poco::Timespan kStopLook(0, 200'000);
constexpr auto kShortestWait = std::chrono::seconds(1);

Failure not_connected(const Endpoint& endpoint, const std::string& why) {
  return {SP_E_IO, "no connection to " + endpoint.authority() + ": " + why, HttpClient::kNotSent};
}

Failure no_answer(const Endpoint& endpoint, const std::string& why) {
  return {SP_E_IO, "no answer from " + endpoint.authority() + ": " + why, 0};
}

// Poco's streams move 8 KiB at a time. Data goes past them, between the caller's memory and the session.
struct Direct : Poco::Net::HTTPClientSession {
  static constexpr auto kRead = &Direct::read;
  static constexpr auto kWrite = &Direct::write;
  static constexpr auto kBuffered = &Direct::buffered;
  static constexpr auto kPeek = &Direct::peek;
  static constexpr auto kForgetException = &Direct::clearException;
};

// How long an exchange goes on: while somebody wants its answer, no time-out without a byte, and not for ever because a
// byte comes now and then. What has an end throws.
class Patience {
 public:
  Patience(Poco::Net::HTTPClientSession& session, const HttpRequest& request, std::chrono::seconds timeout)
      : session_(session), request_(request), timeout_(timeout) {}

  void until_readable() const {
    const bool there = (session_.*Direct::kBuffered)() > 0 ||
                       (session_.secure() && session_.socket().available() > 0);  // decrypted already
    if (!there) wait(Poco::Net::Socket::SELECT_READ);
  }
  // What can be read may be TLS's own, tickets that servers send unasked: reading passes over it and then waits, which
  // must not take long.
  void until_answered() {
    until_readable();
    while (session_.secure() && (session_.*Direct::kBuffered)() == 0) {
      auto& socket = session_.socket();
      const Poco::Timespan receive = socket.getReceiveTimeout(), send = socket.getSendTimeout();
      socket.setReceiveTimeout(kStopLook);
      socket.setSendTimeout(kStopLook);
      bool late = false;
      try {
        (session_.*Direct::kPeek)();
      } catch (const Poco::TimeoutException&) {
        (session_.*Direct::kForgetException)();
        late = true;
      }
      socket.setReceiveTimeout(receive);
      socket.setSendTimeout(send);
      if (!late) return;
      moved(0);
      until_readable();
    }
  }
  void until_writable() const { wait(Poco::Net::Socket::SELECT_WRITE); }
  void moved(std::streamsize bytes) {
    moved_ += bytes;
    if (request_.stop && request_.stop()) throw Poco::TimeoutException("given up");
    if (Clock::now() >= last()) throw Poco::TimeoutException("too slow");
  }

 private:
  using Clock = std::chrono::steady_clock;
  // What moves gets more time.
  Clock::time_point last() const {
    if (request_.until == Clock::time_point::max()) return request_.until;
    return request_.until + std::chrono::seconds(moved_ / kSlowest) + kShortestWait;
  }
  void wait(int mode) const {
    const auto now = Clock::now();
    const auto until = std::max(now + kShortestWait, std::min(last(), now + timeout_));
    while (!session_.socket().poll(kStopLook, mode)) {
      if (request_.stop && request_.stop()) throw Poco::TimeoutException("given up");
      if (Clock::now() >= until) throw Poco::TimeoutException();
    }
  }

  Poco::Net::HTTPClientSession& session_;
  const HttpRequest& request_;
  const std::chrono::seconds timeout_;
  std::streamsize moved_ = 0;
};

// False: it ended before its length was reached, or goes on beyond what is sensible. Of a chunked body Poco does not
// say that its end is missing: who needs to know looks for what must stand there.
bool read_text(Patience& patience, std::istream& in, std::streamsize length, std::string& out) {
  auto& from = *in.rdbuf();
  while (length < 0 || static_cast<std::streamsize>(out.size()) < length) {
    if (from.in_avail() <= 0) {
      patience.until_readable();
      if (from.sgetc() == std::istream::traits_type::eof()) break;
    }
    const std::size_t have = out.size();
    const auto count = from.in_avail();
    if (count <= 0 || have > kMaxBodyBytes) return false;
    out.resize(have + static_cast<std::size_t>(count));
    from.sgetn(out.data() + have, count);
    patience.moved(count);
  }
  return length < 0 || static_cast<std::streamsize>(out.size()) == length;
}

bool read_data(Poco::Net::HTTPClientSession& session, Patience& patience, std::istream& in, std::streamsize length,
               std::span<std::byte> into) {
  auto* const data = reinterpret_cast<char*>(into.data());
  const auto size = static_cast<std::streamsize>(into.size());
  if (length != size) {  // in chunks, or of another size than was asked for
    in.read(data, size);
    return in.gcount() == size && in.peek() == std::istream::traits_type::eof() && !in.bad();
  }
  for (std::streamsize at = 0; at < size;) {
    patience.until_readable();
    const int got = (session.*Direct::kRead)(data + at, size - at);
    if (got <= 0) return false;
    at += got;
    patience.moved(got);
  }
  return true;
}

// What goes through TLS cannot be sent in part: little enough at a time not to be waited for long.
std::streamsize send_some(Poco::Net::HTTPClientSession& session, Patience& patience, const char* data,
                          std::streamsize size) {
  if (session.secure()) {
    patience.until_writable();
    return (session.*Direct::kWrite)(data, std::min(size, kTlsRecord));
  }
  while (true) {
    const auto sent = ::send(session.socket().impl()->sockfd(), data,
                             static_cast<std::size_t>(std::min(size, kWriteStep)), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) return sent;
    patience.until_writable();
  }
}

// False: the other side takes no more of it. There may be an answer that says why.
bool write_data(Poco::Net::HTTPClientSession& session, Patience& patience, std::span<const std::byte> body) {
  const auto* const data = reinterpret_cast<const char*>(body.data());
  const auto size = static_cast<std::streamsize>(body.size());
  try {
    for (std::streamsize at = 0; at < size;) {
      const auto sent = send_some(session, patience, data + at, size - at);
      if (sent <= 0) return false;
      at += sent;
      patience.moved(sent);
    }
    return true;
  } catch (const Poco::TimeoutException&) {
    throw;
  } catch (const Poco::Exception&) {
    return false;
  }
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpClient::HttpClient(const Settings& settings) : settings_(settings) {}

HttpClient::Session HttpClient::take(const Endpoint& endpoint) {
  std::vector<Session> stale;  // ends after the lock: ending one may write to it
  const std::lock_guard lock(mutex_);
  stale = take_stale();
  const auto waiting = kept_.find(endpoint);
  if (waiting == kept_.end()) return nullptr;
  Session session = std::move(waiting->second.back().session);
  waiting->second.pop_back();
  if (waiting->second.empty()) kept_.erase(waiting);
  return session;
}

// Of all endpoints: one that nobody asks any more would keep its connections for ever.
std::vector<HttpClient::Session> HttpClient::take_stale() {
  const auto oldest = std::chrono::steady_clock::now() - kIdleTime;
  std::vector<Session> stale;
  for (auto& [endpoint, waiting] : kept_) {
    for (auto& kept : waiting) {
      if (kept.since < oldest) stale.push_back(std::move(kept.session));
    }
    std::erase_if(waiting, [](const Kept& kept) { return kept.session == nullptr; });
  }
  std::erase_if(kept_, [](const auto& entry) { return entry.second.empty(); });
  return stale;
}

void HttpClient::keep(const Endpoint& endpoint, Session session) {
  std::vector<Session> stale;  // as in take
  const std::lock_guard lock(mutex_);
  stale = take_stale();
  std::size_t all = 0;
  for (const auto& [other, waiting] : kept_) all += waiting.size();
  const auto found = kept_.find(endpoint);
  const bool room = all < settings_.max_kept && (found == kept_.end() || found->second.size() < settings_.max_idle);
  if (room) {
    kept_[endpoint].push_back({std::move(session), std::chrono::steady_clock::now()});
  } else {
    stale.push_back(std::move(session));
  }
}

void HttpClient::limit_waits(Poco::Net::HTTPClientSession& session, std::chrono::steady_clock::time_point until) const {
  using std::chrono::duration_cast;
  const auto now = std::chrono::steady_clock::now();
  const auto left = until > now ? duration_cast<std::chrono::seconds>(until - now) : std::chrono::seconds(0);
  const auto at_most = [&](std::chrono::seconds time) {
    return span_of(std::max(kShortestWait, std::min(time, left)));
  };
  const auto wait = at_most(settings_.timeout);
  session.setTimeout(at_most(settings_.connect_timeout), wait, wait);
  if (session.connected()) {  // a kept one: what is above holds for new connections only
    session.socket().setSendTimeout(wait);
    session.socket().setReceiveTimeout(wait);
  }
}

HttpClient::Session HttpClient::connect(const Endpoint& endpoint, bool straight) {
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
  if (const auto proxy = straight ? std::nullopt : proxy_for(endpoint)) {
    session->setProxy(proxy->host, proxy->port);
    if (!proxy->user.empty()) session->setProxyCredentials(proxy->user, proxy->password);
  }
  session->setKeepAlive(true);
  session->setKeepAliveTimeout(span_of(kIdleTime * 2));  // when to give one up is decided here
  return session;
}

Outcome<HttpAnswer> HttpClient::exchange(const Endpoint& endpoint, Session session, const HttpRequest& request,
                                         std::span<std::byte> into) {
  limit_waits(*session, request.until);
  Poco::Net::HTTPRequest head(request.method, request.target, Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : request.headers) head.set(name, value);
  const bool sends = request.method == "PUT" || request.method == "POST";
  if (sends) head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
  auto& out = session->sendRequest(head);
  out.flush();
  Patience patience(*session, request, settings_.timeout);
  const bool sent = out.good() && write_data(*session, patience, request.body);
  patience.until_answered();
  Poco::Net::HTTPResponse response;
  auto& in = session->receiveResponse(response);
  HttpAnswer answer;
  answer.status = response.getStatus();
  for (const auto& [name, value] : response) answer.headers[Poco::toLower(name)] = value;
  bool whole = true;
  if (request.method != "HEAD" && answer.status != kNoContent) {
    const auto length = response.hasContentLength() ? static_cast<std::streamsize>(response.getContentLength64()) : -1;
    whole = answer.ok() && !into.empty() ? read_data(*session, patience, in, length, into)
                                         : read_text(patience, in, length, answer.body);
  }
  if (!whole) return no_answer(endpoint, "it ended early");
  const bool in_step = answer.ok() || request.body.empty();
  if (sent && in_step && response.getKeepAlive()) keep(endpoint, std::move(session));
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
    return exchange(endpoint, connect(endpoint, request.straight), request, into);
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
