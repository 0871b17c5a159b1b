// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/client/connection.h"

namespace bench::client {

struct SmallFilesPlan {
  std::string directory;  // its files are called "0", "1", ...
  bool write = false;
  std::uint32_t count = 0;
  std::uint32_t at_once = 1;  // files under way
  std::size_t file_bytes = 0;
};

// Many small files over one session, several under way at a time, each opened, moved and closed. Used on the
// connection's thread.
class SmallFiles {
 public:
  SmallFiles(Connection& connection, SmallFilesPlan plan, std::vector<std::uint8_t> content);
  void run();

 private:
  // A request's id is the number of its file times four plus the step.
  enum Step : std::uint32_t { kOpening = 0, kMoving = 1, kClosing = 2 };
  void open_next();
  void move_and_close(std::uint32_t file, std::string_view handle);
  void on_reply(const Reply& reply);

  Connection& connection_;
  const SmallFilesPlan plan_;
  const std::vector<std::uint8_t> content_;
  PacketWriter packets_;
  std::uint32_t opened_ = 0;
  std::uint32_t moved_ = 0;
  std::uint32_t closed_ = 0;
};

}  // namespace bench::client
