// SPDX-License-Identifier: Apache-2.0
//
// argon2id hashes in their text form. Private to password.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace host::users {

struct Argon2 {
  std::uint32_t memory_kib = 65536, passes = 3, lanes = 2;
  std::string salt, key;

  // `$argon2id$v=19$m=M,t=T,p=P$SALT$KEY`, raw base64, within password_limits.
  static std::optional<Argon2> parse(std::string_view text);
  std::string text() const;
  // The key of `size` bytes that `plain` gives with these parameters; nothing when memory is short.
  std::optional<std::string> derive(std::string_view plain, std::size_t size) const;
};

}  // namespace host::users
