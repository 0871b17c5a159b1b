// SPDX-License-Identifier: Apache-2.0
//
// The only file of the client that includes libssh. A session and its channel belong to the thread that made the
// Connection. libssh calls back through C, so what a reply handler throws is kept and thrown again from send() or
// wait().
#include "bench/client/connection.h"

#include <arpa/inet.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/client/readahead.h"

namespace bench::client {
namespace {

constexpr int kTimeoutMs = 30000;
constexpr std::uint32_t kSafeTransferBytes = 32768;

int connect_tcp(const Target& target) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  const int one = 1;
  sockaddr_in own{};
  own.sin_family = AF_INET;
  const bool bound = target.source.empty() || (inet_pton(AF_INET, target.source.c_str(), &own.sin_addr) == 1 &&
                                               bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0);
  if (fd < 0 || !bound || inet_pton(AF_INET, target.host.c_str(), &address.sin_addr) != 1 ||
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0) {
    const std::string reason = std::strerror(errno);
    if (fd >= 0) {
      close(fd);
    }
    throw std::runtime_error("connect: " + reason);
  }
  return fd;
}

}  // namespace

class Connection::Impl {
 public:
  explicit Impl(const Target& target) : key_file_(target.key_file) {
    try {
      fd_ = connect_tcp(target);
      exchange_keys(target);
    } catch (...) {
      release();
      throw;
    }
  }
  ~Impl() { release(); }

  void log_in() {
    authenticate();
    open_sftp();
  }
  void enable_readahead() { readahead_.emplace(fd_); }
  void set_handler(std::function<void(const Reply&)> handler) { handler_ = std::move(handler); }

  void send(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const int written = ssh_channel_write(channel_, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
      rethrow();
      if (written < 0) {
        fail("write");
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      if (written == 0) {
        turn();  // a rekey is under way
      }
    }
  }

  void wait() { wait_beyond(replies_); }

  // The reply may come while send() waits for the peer's window.
  void send_and_wait(std::span<const std::uint8_t> bytes) {
    const std::uint64_t seen = replies_;
    send(bytes);
    wait_beyond(seen);
  }

  // One request, one reply.
  struct Answer {
    std::vector<std::uint8_t> head;
    Reply reply;
  };
  template <typename Fill>
  Answer call(PacketType type, Fill fill) {
    PacketWriter packet;
    packet.begin(type);
    packet.u32(kCallId);
    fill(packet);
    packet.end();
    Answer answer;
    set_handler([&](const Reply& reply) {
      answer.head.assign(reply.head.begin(), reply.head.end());
      answer.reply = reply;
      answer.reply.head = answer.head;
    });
    send_and_wait(packet.bytes());
    handler_ = nullptr;
    if (answer.reply.id != kCallId) {
      throw std::runtime_error("SFTP reply to another request");
    }
    return answer;
  }

  std::string handle_of(PacketType type, const std::string& path, std::optional<std::uint32_t> flags) {
    const Answer answer = call(type, [&](PacketWriter& packet) {
      packet.string(path);
      if (flags) {
        packet.u32(*flags);
        packet.u32(0);
      }
    });
    if (answer.reply.type != kHandle) {
      throw std::runtime_error("open " + path + ": " + describe(answer.reply));
    }
    return std::string(answer.reply.field_string(5));
  }

  static std::string describe(const Reply& reply) {
    return reply.type == kStatus ? "status " + std::to_string(reply.field_u32(5))
                                 : "reply type " + std::to_string(reply.type);
  }

  static void expect_ok(const Reply& reply, const char* what) {
    if (reply.type != kStatus || reply.field_u32(5) != kOk) {
      throw std::runtime_error(std::string(what) + ": " + describe(reply));
    }
  }

  bool has_limits() const { return has_limits_; }

 private:
  static constexpr std::uint32_t kCallId = 7;

  void exchange_keys(const Target& target) {
    session_ = ssh_new();
    if (session_ == nullptr) {
      throw std::runtime_error("ssh_new failed");
    }
    const bool no_config = false;
    const long timeout_s = kTimeoutMs / 1000;
    set(SSH_OPTIONS_PROCESS_CONFIG, &no_config);
    set(SSH_OPTIONS_HOST, target.host.c_str());
    set(SSH_OPTIONS_USER, target.user.c_str());
    set(SSH_OPTIONS_FD, &fd_);
    set(SSH_OPTIONS_TIMEOUT, &timeout_s);
    set(SSH_OPTIONS_KEY_EXCHANGE, "curve25519-sha256");
    set(SSH_OPTIONS_HOSTKEYS, "ssh-ed25519");
    if (!target.cipher.empty()) {
      set(SSH_OPTIONS_CIPHERS_C_S, target.cipher.c_str());
      set(SSH_OPTIONS_CIPHERS_S_C, target.cipher.c_str());
    }
    if (!target.mac.empty()) {
      set(SSH_OPTIONS_HMAC_C_S, target.mac.c_str());
      set(SSH_OPTIONS_HMAC_S_C, target.mac.c_str());
    }
    if (ssh_connect(session_) != SSH_OK) {
      fail("key exchange");
    }
  }

  void authenticate() {
    ssh_key key = nullptr;
    if (ssh_pki_import_privkey_file(key_file_.c_str(), nullptr, nullptr, nullptr, &key) != SSH_OK) {
      throw std::runtime_error("cannot read the key " + key_file_);
    }
    const int result = ssh_userauth_publickey(session_, nullptr, key);
    ssh_key_free(key);
    if (result != SSH_AUTH_SUCCESS) {
      fail("login");
    }
  }

  void open_sftp() {
    channel_ = ssh_channel_new(session_);
    if (channel_ == nullptr || ssh_channel_open_session(channel_) != SSH_OK ||
        ssh_channel_request_subsystem(channel_, "sftp") != SSH_OK) {
      fail("sftp channel");
    }
    callbacks_.userdata = this;
    callbacks_.channel_data_function = &Impl::on_data;
    callbacks_.channel_eof_function = &Impl::on_eof;
    callbacks_.channel_close_function = &Impl::on_eof;
    ssh_callbacks_init(&callbacks_);
    ssh_set_channel_callbacks(channel_, &callbacks_);
    event_ = ssh_event_new();
    if (event_ == nullptr || ssh_event_add_session(event_, session_) != SSH_OK) {
      fail("event");
    }
    PacketWriter init;
    init.begin(kInit);
    init.u32(3);
    init.end();
    bool ok = false;
    set_handler([&](const Reply& reply) {
      // In VERSION the version number stands where other replies have the id.
      ok = reply.type == kVersion && reply.id == 3;
      const std::string_view text(reinterpret_cast<const char*>(reply.head.data()), reply.head.size());
      has_limits_ = text.find("limits@openssh.com") != std::string_view::npos;
    });
    send_and_wait(init.bytes());
    if (!ok) {
      throw std::runtime_error("the server does not speak SFTP version 3");
    }
  }

  void set(ssh_options_e option, const void* value) {
    if (ssh_options_set(session_, option, value) != SSH_OK) {
      fail("option");
    }
  }

  [[noreturn]] void fail(const char* what) {
    throw std::runtime_error(std::string(what) + ": " + ssh_get_error(session_));
  }

  void wait_beyond(std::uint64_t seen) {
    while (replies_ == seen) {
      turn();
    }
  }

  void turn() {
    const int result = ssh_event_dopoll(event_, kTimeoutMs);
    rethrow();
    if (result == SSH_ERROR) {
      fail("connection");
    }
    if (result == SSH_AGAIN) {
      throw std::runtime_error("no answer for 30 s");
    }
    if (eof_) {
      throw std::runtime_error("the server closed the channel");
    }
  }

  void rethrow() {
    if (error_) {
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

  static int on_data(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr, void* self) {
    auto& impl = *static_cast<Impl*>(self);
    if (is_stderr == 0 && !impl.error_) {
      try {
        impl.parser_.feed({static_cast<const std::uint8_t*>(data), size}, [&impl](const Reply& reply) {
          impl.replies_++;
          if (impl.handler_) {
            impl.handler_(reply);
          }
        });
      } catch (...) {
        impl.error_ = std::current_exception();
      }
    }
    return static_cast<int>(size);
  }

  static void on_eof(ssh_session, ssh_channel, void* self) { static_cast<Impl*>(self)->eof_ = true; }

  void release() {
    handler_ = nullptr;
    if (channel_ != nullptr && event_ != nullptr && ssh_is_connected(session_) != 0) {
      ssh_channel_send_eof(channel_);
      ssh_channel_close(channel_);
    }
    if (event_ != nullptr) {
      ssh_event_remove_session(event_, session_);
      ssh_event_free(event_);
    }
    if (session_ != nullptr) {
      ssh_disconnect(session_);
    }
    readahead_.reset();
    if (session_ != nullptr) {
      ssh_free(session_);
    }
  }

  const std::string key_file_;
  int fd_ = -1;
  ssh_session session_ = nullptr;
  ssh_channel channel_ = nullptr;
  ssh_event event_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  std::optional<Readahead> readahead_;
  ReplyParser parser_;
  std::function<void(const Reply&)> handler_;
  std::exception_ptr error_;
  std::uint64_t replies_ = 0;
  bool eof_ = false;
  bool has_limits_ = false;
};

Connection::Connection(const Target& target) : Connection(target, AfterKeyExchange()) { log_in(); }
Connection::Connection(const Target& target, AfterKeyExchange) : impl_(std::make_unique<Impl>(target)) {}
void Connection::log_in() { impl_->log_in(); }
Connection::~Connection() = default;
void Connection::enable_readahead() { impl_->enable_readahead(); }
void Connection::on_reply(std::function<void(const Reply&)> handler) { impl_->set_handler(std::move(handler)); }
void Connection::send(std::span<std::uint8_t> bytes) { impl_->send(bytes); }
void Connection::wait() { impl_->wait(); }

std::string Connection::open_file(const std::string& path, std::uint32_t flags) {
  return impl_->handle_of(kOpen, path, flags);
}
std::string Connection::open_directory(const std::string& path) {
  return impl_->handle_of(kOpenDir, path, std::nullopt);
}

void Connection::close_handle(const std::string& handle) {
  Impl::expect_ok(impl_->call(kClose, [&](PacketWriter& packet) { packet.string(handle); }).reply, "close");
}

void Connection::write_block(const std::string& handle, std::span<const std::uint8_t> bytes) {
  const auto answer = impl_->call(kWrite, [&](PacketWriter& packet) {
    packet.string(handle);
    packet.u64(0);
    packet.string(bytes);
  });
  Impl::expect_ok(answer.reply, "write");
}

std::size_t Connection::read_block(const std::string& handle, std::uint32_t size) {
  const auto answer = impl_->call(kRead, [&](PacketWriter& packet) {
    packet.string(handle);
    packet.u64(0);
    packet.u32(size);
  });
  if (answer.reply.type != kData) {
    throw std::runtime_error("read: " + Impl::describe(answer.reply));
  }
  return answer.reply.field_u32(5);
}

std::uint32_t Connection::read_directory(const std::string& handle) {
  const auto answer = impl_->call(kReadDir, [&](PacketWriter& packet) { packet.string(handle); });
  if (answer.reply.type == kStatus && answer.reply.field_u32(5) == kEof) {
    return 0;
  }
  if (answer.reply.type != kName) {
    throw std::runtime_error("readdir: " + Impl::describe(answer.reply));
  }
  return answer.reply.field_u32(5);
}

std::uint32_t Connection::transfer_size(std::uint32_t wanted, bool write) {
  if (!impl_->has_limits()) {
    return std::min(wanted, kSafeTransferBytes);
  }
  const auto answer = impl_->call(kExtended, [](PacketWriter& packet) { packet.string("limits@openssh.com"); });
  // uint64 max-packet-length, max-read-length, max-write-length, max-open-handles
  if (answer.reply.type != kExtendedReply || answer.head.size() < 5 + 32) {
    throw std::runtime_error("limits@openssh.com: " + Impl::describe(answer.reply));
  }
  const std::uint64_t limit = load_u64(answer.head.data() + 5 + (write ? 16 : 8));
  return limit == 0 ? std::min(wanted, kSafeTransferBytes)
                    : static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, limit));
}

}  // namespace bench::client
