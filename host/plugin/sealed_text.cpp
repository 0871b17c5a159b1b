// SPDX-License-Identifier: Apache-2.0
//
// Looks at dollar signs only. Any thread; must not know ciphers.
#include "host/plugin/sealed_text.h"

#include <initializer_list>

namespace host::plugin {

bool is_sealed(std::string_view text) {
  for (const auto scheme : {kOwnScheme, kReplacedScheme}) {
    if (!text.starts_with(scheme)) continue;
    const auto end_of_key = text.find('$', scheme.size());
    return end_of_key != text.npos && text.find('$', end_of_key + 1) == text.npos;
  }
  return false;
}

std::string shown_form(std::string_view text) {
  if (!is_sealed(text)) return {};
  return std::string(kReplacedScheme) + std::string(text.substr(text.rfind('$') + 1));
}

bool is_shown_form(std::string_view text) {
  return text.starts_with(kReplacedScheme) && text.find('$', kReplacedScheme.size()) == text.npos;
}

}  // namespace host::plugin
