// SPDX-License-Identifier: Apache-2.0
//
// Also what was refused is shown, so a URL need not be one: nothing that could be a password may slip through.
#include "host/config/shown_json.h"

#include <algorithm>
#include <string_view>

namespace host::config {
namespace {

constexpr std::string_view kRedacted = "[redacted]";

// A program's path is no secret, nor its name; whatever else has no scheme may be a URL that lacks one.
std::string shown_url(const std::string& text) {
  if (text.starts_with('/') || text.find_first_of("/?#@:\\") == std::string::npos) return text;
  const auto scheme = text.find("://");
  if (scheme == std::string::npos) return std::string(kRedacted);
  const auto begin = scheme + 3;
  const auto end = std::min(text.find_first_of("/?#\\", begin), text.size());
  const auto server = text.substr(begin, end - begin);
  const auto user_end = server.rfind('@');
  std::string out = text.substr(0, begin);
  if (user_end != std::string::npos) out += std::string(kRedacted) + "@";
  out += user_end == std::string::npos ? server : server.substr(user_end + 1);
  if (text.size() > end + 1) out += "/" + std::string(kRedacted);
  return out;
}

}  // namespace

std::string shown_value(const Key& key, const Tree& value) {
  if (key.has(Key::kSecret)) return std::string(kRedacted);
  const auto as_json = [](const Tree& tree) { return tree.dump(-1, ' ', false, Tree::error_handler_t::replace); };
  if (key.rule.text != Rule::Text::kUrl && key.rule.text != Rule::Text::kHook) return as_json(value);
  return value.is_string() ? as_json(Tree(shown_url(value.get_ref<const std::string&>()))) : std::string(kRedacted);
}

}  // namespace host::config
