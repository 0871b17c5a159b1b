// SPDX-License-Identifier: Apache-2.0
//
// From OpenSSL, as the keys of sessions are: there is no second source to vouch for.
#include "host/core/random.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <vector>

namespace host::core {

std::string random_text(std::size_t length, std::string_view alphabet) {
  std::vector<unsigned char> bytes(length);
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) std::abort();
  std::string text;
  for (const auto byte : bytes) text += alphabet[byte % alphabet.size()];
  return text;
}

}  // namespace host::core
