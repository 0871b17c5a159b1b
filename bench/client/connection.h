// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "bench/client/packet.h"

namespace bench::client {

struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string user;
  std::string key_file;
  std::string cipher;  // empty: libssh's own list
  std::string mac;
  std::string source;  // own address; empty: the system's choice
};

struct AfterKeyExchange {};

// One SSH connection with one sftp channel, used by one thread. Every failure is an exception with a reason.
class Connection {
 public:
  explicit Connection(const Target& target);
  Connection(const Target& target, AfterKeyExchange);  // of no use before log_in()
  void log_in();
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serve libssh's small reads from a large buffer; worth its memory on bulk transfers only.
  void enable_readahead();
  // Replies seen inside send() or wait() go to this handler until it is replaced.
  void on_reply(std::function<void(const Reply&)> handler);
  // May deliver replies while it waits for the peer's window.
  void send(std::span<std::uint8_t> bytes);
  // Until at least one more reply was delivered.
  void wait();

  std::string open_file(const std::string& path, std::uint32_t flags);
  std::string open_directory(const std::string& path);
  void close_handle(const std::string& handle);
  void write_block(const std::string& handle, std::span<const std::uint8_t> bytes);
  std::size_t read_block(const std::string& handle, std::uint32_t size);  // at offset 0
  std::uint32_t read_directory(const std::string& handle);                // entries in one reply; 0 at the end
  // What limits@openssh.com says, else the 32 KiB that every server takes.
  std::uint32_t transfer_size(std::uint32_t wanted, bool write);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bench::client
