// SPDX-License-Identifier: Apache-2.0
//
// Connections, made and kept, and what goes over them. One goes back only when its answer was read to the end and
// nothing about it was odd: one whose server answered before it had the whole request would mix up what follows. For
// the same reason none is kept after data was refused: the server may have answered before the end, and take what comes
// for the next request.
#include "http_client.h"

#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/String.h>

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxBodyBytes = 8 * 1024 * 1024;  // of an answer that is text; a full listing is about 1 MiB
constexpr std::size_t kTextStep = 32 * 1024;
constexpr int kSwitching = 101, kGood = 200, kNoContent = 204, kNotModified = 304;
constexpr auto kIdleTime = std::chrono::seconds(20);  // servers close after a minute or so

Failure not_connected(const Endpoint& endpoint, const std::string& why) {
  return {SP_E_IO, "no connection to " + endpoint.authority() + ": " + why, HttpClient::kNotSent};
}

Failure no_answer(const Endpoint& endpoint, const std::string& why, int native = 0) {
  return {SP_E_IO, "no answer from " + endpoint.authority() + ": " + why, native};
}

// False: the other side takes no more of it. There may be an answer that says why.
bool send_body(Connection& link, Patience& patience, std::span<const std::byte> body) {
  const std::span data(reinterpret_cast<const char*>(body.data()), body.size());
  try {
    for (std::size_t at = 0; at < data.size();) at += link.send(patience, data.subspan(at));
    return true;
  } catch (const Poco::TimeoutException&) {
    throw;
  } catch (const Poco::Exception&) {
    return false;
  }
}

// Those that only say that an answer comes are passed over. Throws when there is none.
void read_head(Incoming& incoming, Poco::Net::HTTPResponse& head) {
  do {
    const std::string text = incoming.head();
    if (text.empty()) throw Poco::Net::NoMessageException();
    std::istringstream in(text);
    head.clear();
    head.read(in);
  } while (head.getStatus() < kGood && head.getStatus() != kSwitching);
}

// An answer's data, whichever way it says where it ends.
class Body {
 public:
  Body(Incoming& incoming, const Poco::Net::HTTPResponse& head, bool none) : incoming_(incoming) {
    if (none) return;
    chunked_ = head.getChunkedTransferEncoding();
    to_the_end_ = !chunked_ && !head.hasContentLength();
    if (!chunked_ && !to_the_end_) {
      const auto length = head.getContentLength64();
      if (length < 0) throw Poco::Net::MessageException("its length makes no sense");
      left_ = static_cast<std::uint64_t>(length);
    }
    ended_ = !chunked_ && !to_the_end_ && left_ == 0;
  }

  // Nothing: it is over.
  std::size_t read(std::span<char> into) {
    if (!ended_ && chunked_ && left_ == 0) next_chunk();
    if (ended_) return 0;
    const auto most = to_the_end_ ? into.size() : static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
    const std::size_t got = incoming_.read(into.first(most));
    if (got == 0) {
      if (!to_the_end_) throw Poco::Net::NetException("it ended early");
      ended_ = true;
    } else if (!to_the_end_) {
      left_ -= got;
      ended_ = !chunked_ && left_ == 0;
    }
    return got;
  }
  // Another answer may follow.
  bool leaves_the_connection() const { return ended_ && !to_the_end_ && !incoming_.has_more(); }

 private:
  // RFC 9112, 7.1: what follows the size is of no interest, nor are trailers.
  void next_chunk() {
    if (!std::exchange(first_, false) && !incoming_.line().empty()) throw Poco::Net::MessageException("no chunk");
    const std::string line = incoming_.line();
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
    if (error != std::errc() || end == line.data()) throw Poco::Net::MessageException("no chunk");
    if (left_ != 0) return;
    while (!incoming_.line().empty()) {}
    ended_ = true;
  }

  Incoming& incoming_;
  bool chunked_ = false, to_the_end_ = false, first_ = true, ended_ = true;
  std::uint64_t left_ = 0;  // of the body, or of a chunk
};

// False: it goes on beyond what is sensible.
bool read_text(Body& body, std::string& out) {
  while (true) {
    const std::size_t have = out.size();
    if (have > kMaxBodyBytes) return false;
    out.resize(have + kTextStep);
    const std::size_t got = body.read(std::span(out).subspan(have));
    out.resize(have + got);
    if (got == 0) return true;
  }
}

// False: it is of another size than was asked for.
bool read_data(Body& body, std::span<std::byte> into) {
  const std::span data(reinterpret_cast<char*>(into.data()), into.size());
  for (std::size_t at = 0; at < data.size();) {
    const std::size_t got = body.read(data.subspan(at));
    if (got == 0) return false;
    at += got;
  }
  char more = 0;
  return body.read({&more, 1}) == 0;
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpClient::HttpClient(const Settings& settings, hook_common::Resolver::LookUp look_up)
    : settings_(settings), resolver_(std::move(look_up)) {}

HttpClient::Link HttpClient::take(const Endpoint& endpoint) {
  std::vector<Link> stale;  // ends after the lock: ending one may write to it
  const std::lock_guard lock(mutex_);
  stale = take_stale();
  const auto waiting = kept_.find(endpoint);
  if (waiting == kept_.end()) return nullptr;
  Link link = std::move(waiting->second.back().link);
  waiting->second.pop_back();
  if (waiting->second.empty()) kept_.erase(waiting);
  return link;
}

// Of all endpoints: one that nobody asks any more would keep its connections for ever.
std::vector<HttpClient::Link> HttpClient::take_stale() {
  const auto oldest = std::chrono::steady_clock::now() - kIdleTime;
  std::vector<Link> stale;
  for (auto& [endpoint, waiting] : kept_) {
    for (auto& kept : waiting) {
      if (kept.since < oldest) stale.push_back(std::move(kept.link));
    }
    std::erase_if(waiting, [](const Kept& kept) { return kept.link == nullptr; });
  }
  std::erase_if(kept_, [](const auto& entry) { return entry.second.empty(); });
  return stale;
}

void HttpClient::keep(const Endpoint& endpoint, Link link) {
  std::vector<Link> stale;  // as in take
  const std::lock_guard lock(mutex_);
  stale = take_stale();
  std::size_t all = 0;
  for (const auto& [other, waiting] : kept_) all += waiting.size();
  const auto found = kept_.find(endpoint);
  const bool room = all < settings_.max_kept && (found == kept_.end() || found->second.size() < settings_.max_idle);
  if (room) {
    kept_[endpoint].push_back({std::move(link), std::chrono::steady_clock::now()});
  } else {
    stale.push_back(std::move(link));
  }
}

Poco::Net::Context::Ptr HttpClient::context() {
  using Poco::Net::Context;
  const std::lock_guard lock(mutex_);
  if (!context_) {
    context_ = new Context(Context::TLS_CLIENT_USE, settings_.ca_file, Context::VERIFY_STRICT, 9,
                           settings_.ca_file.empty(), "HIGH:!aNULL:!MD5");
    context_->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    context_->enableExtendedCertificateVerification(true);
  }
  return context_;
}

HttpClient::Link HttpClient::connect(const Endpoint& endpoint, const HttpRequest& request) {
  const auto proxy = request.straight ? std::nullopt : proxy_for(endpoint);
  const auto tls = endpoint.tls ? context() : Poco::Net::Context::Ptr();
  return std::make_unique<Connection>(resolver_, endpoint, proxy, tls, request.stop, request.until,
                                      settings_.connect_timeout);
}

Outcome<HttpAnswer> HttpClient::exchange(const Endpoint& endpoint, Link link, const HttpRequest& request,
                                         std::span<std::byte> into) {
  Poco::Net::HTTPRequest head(request.method, request.target, Poco::Net::HTTPMessage::HTTP_1_1);
  for (const auto& [name, value] : request.headers) head.set(name, value);
  if (!head.has("Host")) head.set("Host", endpoint.authority());
  const bool sends = request.method == "PUT" || request.method == "POST";
  if (sends) head.setContentLength64(static_cast<Poco::Int64>(request.body.size()));
  Patience patience(request.stop, request.until, settings_.timeout + request.quiet);
  link->send_head(patience, head);
  const bool sent = send_body(*link, patience, request.body);
  Incoming incoming(*link, patience);
  Poco::Net::HTTPResponse response;
  read_head(incoming, response);
  HttpAnswer answer;
  answer.status = response.getStatus();
  for (const auto& [name, value] : response) answer.headers[Poco::toLower(name)] = value;
  const bool none = request.method == "HEAD" || answer.status == kNoContent || answer.status == kNotModified;
  Body body(incoming, response, none);
  if (answer.ok() && !into.empty() && !none ? !read_data(body, into) : !read_text(body, answer.body)) {
    return no_answer(endpoint, "it is not as long as it should be");
  }
  const bool in_step = answer.ok() || request.body.empty();
  if (sent && in_step && response.getKeepAlive() && body.leaves_the_connection()) keep(endpoint, std::move(link));
  return answer;
}

Outcome<HttpAnswer> HttpClient::call(const Endpoint& endpoint, const HttpRequest& request, std::span<std::byte> into,
                                     bool fresh) {
  // A kept connection may have been closed by the other side meanwhile: then once more, on a new one.
  Link kept = fresh ? nullptr : take(endpoint);
  if (!kept) return on_new_connection(endpoint, request, into);
  try {
    return exchange(endpoint, std::move(kept), request, into);
  } catch (const Poco::TimeoutException&) {
    return no_answer(endpoint, "time-out");
  } catch (const Poco::Exception&) {  // as said
  }
  auto answer = on_new_connection(endpoint, request, into);
  // The other side may have closed it only after it had the request.
  if (answer) {
    answer->sent_before = true;
  } else if (answer.failure().native == kNotSent) {
    answer.failure().native = 0;
  }
  return answer;
}

Outcome<HttpAnswer> HttpClient::on_new_connection(const Endpoint& endpoint, const HttpRequest& request,
                                                  std::span<std::byte> into) {
  Link link;
  try {
    link = connect(endpoint, request);
  } catch (const Poco::TimeoutException&) {
    return no_answer(endpoint, "time-out", kNotSent);
  } catch (const Poco::Net::ConnectionRefusedException& e) {
    return not_connected(endpoint, e.displayText());
  } catch (const Poco::Net::DNSException& e) {
    return not_connected(endpoint, e.displayText());
  } catch (const Poco::Exception& e) {
    return no_answer(endpoint, e.displayText(), kNotSent);
  }
  try {
    return exchange(endpoint, std::move(link), request, into);
  } catch (const Poco::TimeoutException&) {
    return no_answer(endpoint, "time-out");
  } catch (const Poco::Exception& e) {
    return no_answer(endpoint, e.displayText());
  }
}

}  // namespace fs_s3
