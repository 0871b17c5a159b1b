// SPDX-License-Identifier: Apache-2.0
//
// The form application/x-www-form-urlencoded, as the replaced system writes it.
#include "hook-common/query.h"

#include <algorithm>

namespace hook_common {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";

bool stays(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || c == '~';
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (stays(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    }
  }
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Pairs parse(std::string_view query) {
  Pairs out;
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const auto equals = part.find('=');
    out.emplace_back(decoded(part.substr(0, equals)),
                     equals == std::string_view::npos ? std::string() : decoded(part.substr(equals + 1)));
  }
  return out;
}

}  // namespace

std::string with_query(std::string_view url, Pairs added) {
  url = url.substr(0, url.find('#'));
  const auto mark = url.find('?');
  auto all = mark == std::string_view::npos ? Pairs() : parse(url.substr(mark + 1));
  for (auto& pair : added) all.push_back(std::move(pair));
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out(url.substr(0, mark));
  char before = '?';
  for (const auto& [name, value] : all) {
    out += before + encoded(name) + "=" + encoded(value);
    before = '&';
  }
  return out;
}

}  // namespace hook_common
