// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "bench/client/connection.h"

namespace bench::client {

struct TransferPlan {
  std::string path;
  bool write = false;
  std::uint64_t size_bytes = 0;
  std::uint32_t block_bytes = 261120;
  std::uint64_t in_flight_bytes = 8ULL << 20;
  std::atomic<std::uint64_t>* progress = nullptr;  // bytes are also counted here, for other threads
};

// One file moved with many requests in flight. Short reads are asked for again; the place of every block that comes
// back is checked against the pattern. Used on the connection's thread.
class Transfer {
 public:
  Transfer(Connection& connection, TransferPlan plan);  // opens the file
  // The whole file, or less when `stop` is set meanwhile.
  void run(const std::atomic<bool>* stop = nullptr);
  void close();
  std::uint64_t bytes_done() const { return bytes_done_; }
  std::uint32_t block_bytes() const { return plan_.block_bytes; }

 private:
  struct Block {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
  };
  bool next_block(const std::atomic<bool>* stop, Block& block);
  void issue(const Block& block);
  void count(std::uint64_t bytes);
  void on_reply(const Reply& reply);
  void on_data(const Reply& reply, const Block& block);

  Connection& connection_;
  TransferPlan plan_;
  std::string handle_;
  std::vector<std::uint8_t> payload_;
  std::vector<Block> blocks_;  // index = request id
  std::vector<std::uint32_t> free_ids_;
  std::deque<Block> again_;  // what short reads left over
  std::uint64_t next_offset_ = 0;
  PacketWriter packets_;
  std::uint64_t bytes_done_ = 0;
};

}  // namespace bench::client
