// SPDX-License-Identifier: Apache-2.0
//
// The meaning of Rule::Text, one line each, and its wording for messages. Pure functions; any thread.
#include "host/config/rules.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

namespace host::config {
namespace {

constexpr std::size_t kSha256Digits = 64;
constexpr std::size_t kIdentificationBytes = 200;

template <class Predicate>
bool all(std::string_view text, Predicate predicate) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return predicate(static_cast<unsigned char>(c)); });
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return inet_pton(AF_INET, text.c_str(), parsed.data()) == 1 || inet_pton(AF_INET6, text.c_str(), parsed.data()) == 1;
}

bool is_network(std::string_view text) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  if (!is_address(address)) return false;
  if (slash == std::string_view::npos) return true;
  const auto length = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), bits);
  const bool v6 = address.find(':') != std::string::npos;
  return error == std::errc() && end == length.data() + length.size() && bits <= (v6 ? 128U : 32U);
}

std::string text_rule(const Rule& rule) {
  switch (rule.text) {
    case Rule::Text::kAny: return "text";
    case Rule::Text::kPluginName: return "lower-case letters, digits and '-'";
    case Rule::Text::kAbsolutePath: return "an absolute path";
    case Rule::Text::kUrl: return "an http:// or https:// URL";
    case Rule::Text::kHook: return "an absolute path or an http:// or https:// URL";
    case Rule::Text::kAlgorithm: return "algorithm names";
    case Rule::Text::kAddress: return "an IPv4 or IPv6 address";
    case Rule::Text::kNetwork: return "IPv4 or IPv6 addresses and CIDR ranges";
    case Rule::Text::kIdentification: return "up to 200 printable ASCII characters";
    case Rule::Text::kSha256: return "64 hexadecimal digits";
    case Rule::Text::kJsonObject: return "objects";
    case Rule::Text::kOneOf: break;
  }
  std::string words;
  for (const auto word : rule.one_of) words += (words.empty() ? "" : ", ") + std::string(word);
  return words;
}

// One wording per type of target.
struct Wording {
  const Rule& rule;

  std::string operator()(int& (*)(Config&)) const {
    using Limits = std::numeric_limits<int>;
    if (rule.min == Limits::min() && rule.max == Limits::max()) return "a whole number";
    if (rule.max == Limits::max()) return "a whole number from " + std::to_string(rule.min);
    return "a whole number from " + std::to_string(rule.min) + " to " + std::to_string(rule.max);
  }
  std::string operator()(bool& (*)(Config&)) const { return "true or false"; }
  std::string operator()(std::string& (*)(Config&)) const {
    const bool may_be_empty = rule.text != Rule::Text::kAny && rule.text != Rule::Text::kPluginName;
    return (may_be_empty ? "empty or " : "") + text_rule(rule);
  }
  std::string operator()(std::vector<std::string>& (*)(Config&)) const {
    const auto object = rule.object_member.empty() ? "" : " or {\"" + std::string(rule.object_member) + "\": text}";
    return "a list of: " + text_rule(rule) + object;
  }
  std::string operator()(std::uint32_t& (*)(Config&)) const {
    return "octal digits as text from \"" + octal_text(rule.min) + "\" to \"" + octal_text(rule.max) + "\"";
  }
  std::string operator()(TextMap& (*)(Config&)) const { return "an object whose values are " + text_rule(rule); }
};

struct TypeName {
  std::string_view operator()(int& (*)(Config&)) const { return "number"; }
  std::string_view operator()(bool& (*)(Config&)) const { return "boolean"; }
  std::string_view operator()(std::string& (*)(Config&)) const { return "text"; }
  std::string_view operator()(std::vector<std::string>& (*)(Config&)) const { return "list"; }
  std::string_view operator()(std::uint32_t& (*)(Config&)) const { return "text"; }
  std::string_view operator()(TextMap& (*)(Config&)) const { return "object"; }
};

}  // namespace

bool text_allowed(const Rule& rule, std::string_view text) {
  switch (rule.text) {
    case Rule::Text::kAny:
    case Rule::Text::kJsonObject: return text.find('\0') == std::string_view::npos;
    case Rule::Text::kOneOf: return std::find(rule.one_of.begin(), rule.one_of.end(), text) != rule.one_of.end();
    case Rule::Text::kPluginName:
      return !text.empty() && all(text, [](int c) { return std::islower(c) || std::isdigit(c) || c == '-'; });
    case Rule::Text::kAbsolutePath:
      return text.empty() || (text.front() == '/' && text.find('\0') == std::string_view::npos);
    case Rule::Text::kHook:
      return (text.empty() || text.front() == '/' || text.starts_with("http://") || text.starts_with("https://")) &&
             text.find('\0') == std::string_view::npos;
    case Rule::Text::kUrl: return text.empty() || text.starts_with("http://") || text.starts_with("https://");
    case Rule::Text::kAlgorithm:
      return all(text, [](int c) { return std::isalnum(c) || c == '-' || c == '.' || c == '@' || c == '_'; });
    case Rule::Text::kAddress: return text.empty() || is_address(std::string(text));
    case Rule::Text::kNetwork: return is_network(text);
    case Rule::Text::kIdentification:  // RFC 4253 section 4.2: 255 bytes with "SSH-2.0-" and the line end
      return text.size() <= kIdentificationBytes && all(text, [](int c) { return c < 0x80 && std::isprint(c); });
    case Rule::Text::kSha256: return text.size() == kSha256Digits && all(text, [](int c) { return std::isxdigit(c); });
  }
  return false;
}

std::string octal_text(std::int64_t value) {
  std::string digits;
  for (; value > 0 || digits.size() < 4; value /= 8) digits.insert(digits.begin(), static_cast<char>('0' + value % 8));
  return digits;
}

std::string_view type_name(const Key& key) { return std::visit(TypeName{}, key.target); }

std::string allowed_values(const Key& key) { return std::visit(Wording{key.rule}, key.target); }

}  // namespace host::config
