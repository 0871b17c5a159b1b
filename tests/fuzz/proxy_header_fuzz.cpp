// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as the start of a connection: the first byte of an input chooses the pieces. In whatever pieces they come,
// the outcome is the same, and nothing beyond the header is taken.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "host/core/limits.h"
#include "host/ssh/proxy_header.h"

using host::ssh::ProxyHeader;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = std::size_t{data[0]} + 1;
  const std::span<const std::uint8_t> stream(data + 1, size - 1);
  ProxyHeader whole, pieces;
  const auto taken = whole.take(stream);
  require(taken <= host::core::limits::kMaxProxyHeaderBytes);
  require(taken == stream.size() || (taken < stream.size() && whole.state() != ProxyHeader::State::kIncomplete));

  std::size_t at = 0;
  while (at < stream.size() && pieces.state() == ProxyHeader::State::kIncomplete) {
    const auto piece = stream.subspan(at, std::min(step, stream.size() - at));
    const auto count = pieces.take(piece);
    require(count <= piece.size());
    at += count;
  }
  require(at == taken && pieces.state() == whole.state());
  require(pieces.client() == whole.client() && pieces.problem() == whole.problem());
  require(whole.problem().empty() == (whole.state() != ProxyHeader::State::kMalformed));
  require(!whole.client() || whole.state() != ProxyHeader::State::kMalformed);
  if (!stream.empty() && whole.state() == ProxyHeader::State::kComplete) require(ProxyHeader::begins_with(stream[0]));
  return 0;
}
