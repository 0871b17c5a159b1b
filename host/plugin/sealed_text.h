// SPDX-License-Identifier: Apache-2.0
//
// The form of secrets that are stored encrypted: `$SCHEME$KEY$HEX`, and what of it people are shown. How they are
// encrypted is that of users/secrets. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

namespace host::plugin {

// Ours: KEY tells which master key. That of the replaced system: KEY is the key itself.
inline constexpr std::string_view kOwnScheme = "$aes256gcm$";
inline constexpr std::string_view kReplacedScheme = "$aes$";

bool is_sealed(std::string_view text);

// `$aes$HEX`, the form in which the replaced system shows a secret; empty for a text that is not sealed.
std::string shown_form(std::string_view text);
// Is it such a form? Then it stands for the secret that is stored.
bool is_shown_form(std::string_view text);

}  // namespace host::plugin
