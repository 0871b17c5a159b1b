// SPDX-License-Identifier: Apache-2.0
//
// Cuts a byte stream into packets. A packet that came in one piece is not copied unless it is a WRITE; everything else
// is assembled once, in a block that stays where it is until the storage has written it. I/O thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "host/core/block.h"

namespace host::sftp {

class Input {
 public:
  struct Packet {
    std::span<const std::byte> bytes;           // without the length word
    std::shared_ptr<const core::Block> memory;  // holds `bytes`; null: they are the caller's
  };
  enum class Step {
    kPacket,  // one is whole; call again with the rest
    kMore,    // `data` is used up
    kBad,     // a length that no packet may have: the stream is lost
  };

  // Takes from the front of `data`.
  Step next(std::span<const std::byte>& data, Packet& packet);
  // Gives back memory when nothing is half-way in it.
  void rest();

 private:
  bool take_length(std::span<const std::byte>& data);
  void start_assembly();

  std::array<std::byte, 4> header_;
  std::uint8_t header_bytes_ = 0;
  bool assembling_ = false;
  std::uint32_t length_ = 0;
  std::uint32_t missing_ = 0;
  std::size_t start_ = 0;
  std::shared_ptr<core::Block> block_;  // shared with the requests cut from it
};

}  // namespace host::sftp
