// SPDX-License-Identifier: Apache-2.0
//
// Binds, accepts and spreads sessions over the I/O threads. Accepting happens on the first of them. Knows nothing of
// what sessions do.
#include "host/ssh/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <random>
#include <thread>
#include <unordered_set>
#include <utility>

#include "host/core/limits.h"
#include "host/core/log.h"
#include "host/ssh/algorithms.h"
#include "host/ssh/context.h"
#include "host/ssh/header_reader.h"
#include "host/ssh/io_group.h"
#include "host/ssh/session.h"
#include "host/ssh/throwaway_keys.h"

namespace host::ssh {
namespace {

using boost::asio::ip::tcp;
using core::Error;
using core::Result;
using core::Status;

// How long accepting pauses when the process is out of descriptors.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kBacklog = 1024;
constexpr int kRandomPortTries = 32;  // then the system chooses

Result<void> configure(Context& context) {
  context.bind.reset(ssh_bind_new());
  const ssh_bind bind = context.bind.get();
  const bool no_config = false;
  ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no_config);
  if (auto r = apply({context.options.kex, context.options.ciphers, context.options.macs}, bind); !r) return r;
  if (context.options.throwaway_host_keys) {
    auto made = add_throwaway_keys(bind);
    if (!made) return made.error();
    context.throwaway_host_keys = std::move(*made);
  }
  for (const auto& key : context.options.host_keys) {
    if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, key.c_str()) != 0) {
      return Error(Status::kInvalid, "host key " + key.string() + " cannot be used: " + ssh_get_error(bind));
    }
  }
  ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BANNER, context.options.software.c_str());
  return core::ok();
}

Result<tcp::endpoint> endpoint_of(const ServerOptions& options) {
  const auto port = static_cast<std::uint16_t>(options.port);
  if (options.address.empty()) return tcp::endpoint(tcp::v6(), port);
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(options.address, error);
  if (error) {
    return Error(Status::kInvalid, "sftpd.bind_address: \"" + options.address + "\" is not an IP address");
  }
  return tcp::endpoint(address, port);
}

// Where a listener for both families is concerned, IPv4 clients come as mapped addresses.
tcp::endpoint unmapped(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return peer;
  return {boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()), peer.port()};
}

bool is_proxy(const SessionOptions& options, const boost::asio::ip::address& address) {
  if (options.proxies.empty()) return true;
  const auto ip = users::parse_ip(address.to_string());
  return ip && users::any_contains(options.proxies, *ip);
}

std::string with_port(const std::string& address, unsigned port) {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

}  // namespace

struct Server::Impl {
  explicit Impl(ServerOptions options, Services services) {
    context->set_session_options(std::move(options.sessions));
    context->options = std::move(options);
    context->services = services;
  }

  Result<void> listen();
  Result<void> listen_at(const tcp::endpoint& endpoint);
  void accept();
  void on_accepted(const boost::system::error_code& error, tcp::socket socket);
  // A connection on its way from the listener to its session.
  struct Arrival {
    tcp::endpoint peer;  // the client, or the proxy before it
    Clock::time_point came;
    std::shared_ptr<const SessionOptions> options;
  };
  void take_in(tcp::socket socket, const Arrival& arrival);
  void await_header(tcp::socket socket, const Arrival& arrival);
  void admit(tcp::socket socket, const Arrival& arrival);
  static void refuse(const Arrival& arrival, const std::string& why, const char* login_type = "no_auth_tryed");
  void spread(tcp::socket socket, Session::Peer peer);

  const std::shared_ptr<Context> context = std::make_shared<Context>();
  std::vector<std::shared_ptr<IoGroup>> threads;
  std::unique_ptr<tcp::acceptor> acceptor;
  tcp::endpoint accepted_from;  // by the accept under way: who has gone again cannot be asked for it
  std::unique_ptr<boost::asio::steady_timer> pause;
  std::unordered_set<std::shared_ptr<HeaderReader>> awaiting_header;  // where accepting happens
  std::size_t next_thread = 0;
  std::atomic<int> stops{0};
};

Result<void> Server::Impl::listen() {
  const auto& options = context->options;
  auto endpoint = endpoint_of(options);
  if (!endpoint) return endpoint.error();
  if (options.port == 0 && options.random_port_last > 0) {
    std::random_device random;
    std::uniform_int_distribution<int> ports(options.random_port_first, options.random_port_last);
    for (int tries = 0; tries < kRandomPortTries; ++tries) {
      auto listening = listen_at({endpoint->address(), static_cast<std::uint16_t>(ports(random))});
      if (listening || listening.error().native != EADDRINUSE) return listening;
    }
  }
  return listen_at(*endpoint);
}

Result<void> Server::Impl::listen_at(const tcp::endpoint& endpoint) {
  const auto where = with_port(endpoint.address().to_string(), endpoint.port());
  boost::system::error_code error;
  acceptor = std::make_unique<tcp::acceptor>(threads.front()->light().io());
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && context->options.address.empty()) acceptor->set_option(boost::asio::ip::v6_only(false), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(kBacklog, error);
  if (error) {
    return Error(Status::kIo,
                 "cannot listen on " + where + " (sftpd.bind_address, sftpd.bind_port): " + error.message(),
                 error.value());
  }
  const auto local = acceptor->local_endpoint();
  core::log::info("sftpd", "", "listening on " + with_port(local.address().to_string(), local.port()));
  return core::ok();
}

void Server::Impl::accept() {
  acceptor->async_accept(accepted_from, [this](const boost::system::error_code& error, tcp::socket socket) {
    on_accepted(error, std::move(socket));
  });
}

void Server::Impl::on_accepted(const boost::system::error_code& error, tcp::socket socket) {
  if (error == boost::asio::error::operation_aborted || !acceptor->is_open()) return;
  if (error) {
    core::log::warn("sftpd", "", "cannot accept a connection: " + error.message() + "; trying again shortly");
    pause->expires_after(kAcceptPause);
    pause->async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) accept();
    });
    return;
  }
  take_in(std::move(socket), {unmapped(accepted_from), Clock::now(), context->session_options()});
  accept();
}

void Server::Impl::take_in(tcp::socket socket, const Arrival& arrival) {
  using Proxy = SessionOptions::Proxy;
  const auto mode = arrival.options->proxy;
  if (mode == Proxy::kOff) return admit(std::move(socket), arrival);
  if (is_proxy(*arrival.options, arrival.peer.address())) return await_header(std::move(socket), arrival);
  if (mode == Proxy::kRequired) return refuse(arrival, "not from one of the proxies in sftpd.proxy_allowed");
  // Its header will change nothing: who is refused need not send one.
  if (const auto refusal = context->services.defender->refuses(arrival.peer.address().to_string())) {
    return refuse(arrival, refusal->reason, refusal->login_type);
  }
  await_header(std::move(socket), arrival);
}

void Server::Impl::await_header(tcp::socket socket, const Arrival& arrival) {
  const auto& options = *arrival.options;
  const bool listed = !options.proxies.empty() && is_proxy(options, arrival.peer.address());
  auto place = context->before_header.enter(
      key_of(arrival.peer.address()),
      listed ? core::limits::kMaxAwaitingProxyHeader : core::limits::kMaxUnauthenticatedPerAddress);
  if (!place) return refuse(arrival, "too many connections");
  const bool believed = listed || options.proxies.empty();
  const std::shared_ptr<Places::Place> kept = std::make_shared<Places::Place>(std::move(*place));
  const auto done = [this, arrival, believed, kept](const std::shared_ptr<HeaderReader>& reader, tcp::socket its_socket,
                                                    const HeaderReader::Outcome& outcome) {
    awaiting_header.erase(reader);
    if (!outcome.problem.empty()) return refuse(arrival, outcome.problem);
    if (!outcome.header && arrival.options->proxy == SessionOptions::Proxy::kRequired) {
      return refuse(arrival, "Can't read the PROXY header: there is none, and sftpd.proxy_protocol requires it");
    }
    auto known = arrival;
    if (believed && outcome.client) known.peer = *outcome.client;
    admit(std::move(its_socket), known);
  };
  const auto deadline = arrival.came + std::chrono::seconds(options.login_grace_s);
  const auto reader = std::make_shared<HeaderReader>(std::move(socket), deadline, done);
  awaiting_header.insert(reader);
  reader->start();
}

void Server::Impl::admit(tcp::socket socket, const Arrival& arrival) {
  const auto& address = arrival.peer.address();
  const auto ip = address.to_string();
  if (const auto refusal = context->services.defender->refuses(ip)) {
    return refuse(arrival, refusal->reason, refusal->login_type);
  }
  if (context->sessions >= core::limits::kMaxSessions) return refuse(arrival, "too many connections");
  auto place = context->before_login.enter(key_of(address), core::limits::kMaxUnauthenticatedPerAddress);
  if (!place) return refuse(arrival, "too many connections");
  spread(std::move(socket), {ip, with_port(ip, arrival.peer.port()), std::move(*place), arrival.came, arrival.options});
}

// The socket of a refused connection is closed by going out of scope.
void Server::Impl::refuse(const Arrival& arrival, const std::string& why, const char* login_type) {
  core::log::connection_failed({arrival.peer.address().to_string(), "", login_type, why});
}

void Server::Impl::spread(tcp::socket socket, Session::Peer peer) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);  // an upload once stalled for 13 s without it
  socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  socket.native_non_blocking(true, ignored);
  const auto pair = threads[next_thread++ % threads.size()];
  const int fd = socket.release(ignored);
  if (fd < 0) return;
  auto session = std::make_shared<Session>(pair, context, fd, std::move(peer));
  boost::asio::post(pair->light().io(), [thread = &pair->light(), session = std::move(session)] {
    thread->add(session);
    session->start();
  });
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(ServerOptions options, Services services) {
  ssh_init();
  auto impl = std::make_unique<Impl>(std::move(options), services);
  auto& configured = impl->context->options;
  if (auto r = configure(*impl->context); !r) return r.error();
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int count = configured.io_threads > 0 ? configured.io_threads : cores;
  for (int i = 0; i < count; ++i) impl->threads.push_back(std::make_shared<IoGroup>(i));
  if (auto r = impl->listen(); !r) return r.error();
  impl->pause = std::make_unique<boost::asio::steady_timer>(impl->threads.front()->light().io());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::set_session_options(SessionOptions options) { impl_->context->set_session_options(std::move(options)); }

const std::vector<PublicHostKey>& Server::throwaway_host_keys() const { return impl_->context->throwaway_host_keys; }

std::uint16_t Server::port() const { return impl_->acceptor->local_endpoint().port(); }

void Server::run() {
  boost::asio::post(impl_->threads.front()->light().io(), [this] { impl_->accept(); });
  for (auto& thread : impl_->threads) thread->start();
  for (auto& thread : impl_->threads) thread->join();
  impl_->context->programs->stop();
}

void Server::stop() {
  const bool now = impl_->stops++ > 0;
  const auto grace = std::chrono::seconds(now ? 0 : impl_->context->options.drain_s);
  core::log::info("sftpd", "", now ? "stopping now" : "stopping: no new connections, running transfers may finish");
  const auto stop_threads = [this, grace] {
    for (auto& thread : impl_->threads) thread->stop(Clock::now() + grace);
  };
  if (now) {
    stop_threads();
    return;
  }
  // Where accepting happens, so that no connection is given to a thread that has ended.
  boost::asio::post(impl_->threads.front()->light().io(), [this, stop_threads] {
    boost::system::error_code ignored;
    impl_->acceptor->close(ignored);
    impl_->pause->cancel();
    for (const auto& reader : std::exchange(impl_->awaiting_header, {})) reader->cancel();
    stop_threads();
  });
}

}  // namespace host::ssh
