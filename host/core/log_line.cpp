// SPDX-License-Identifier: Apache-2.0
//
// A hand-written encoder because log lines are the only JSON made while files move: no tree, one growing string.
// Escapes are those of the replaced system's logger, since patterns of log watchers match on raw text. Any thread.
#include "host/core/log_line.h"

#include <array>
#include <charconv>
#include <ctime>

#include "host/core/limits.h"

namespace host::core::log {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the well-formed UTF-8 sequence at the front of `text` (RFC 3629 section 4); 0 when there is none.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  std::size_t length = 0;
  unsigned char low = 0x80, high = 0xBF;  // range of the second byte: excludes overlong forms and surrogates
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (length == 0 || text.size() < length || byte(1) < low || byte(1) > high) return 0;
  for (std::size_t at = 2; at < length; ++at) {
    if (byte(at) < 0x80 || byte(at) > 0xBF) return 0;
  }
  return length;
}

void append_escaped(std::string& out, unsigned char control) {
  switch (control) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[control >> 4];
      out += kHex[control & 15];
    }
  }
}

constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (unsigned byte = 0x20; byte < 0x7F; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

}  // namespace

void append_quoted(std::string& out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    std::size_t plain = 0;
    while (plain < value.size() && kPlain[static_cast<unsigned char>(value[plain])]) ++plain;
    out.append(value.substr(0, plain));
    value.remove_prefix(plain);
    if (value.empty()) break;
    const auto byte = static_cast<unsigned char>(value.front());
    std::size_t used = 1;
    if (byte < 0x80) {
      append_escaped(out, byte);
    } else if (const auto length = sequence_length(value); length > 0) {
      out.append(value.substr(0, length));
      used = length;
    } else {
      out.append(kReplacement);
    }
    value.remove_prefix(used);
  }
  out += '"';
}

std::string local_time(std::chrono::system_clock::time_point when) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const std::time_t second = static_cast<std::time_t>(ms / 1000);
  // Breaking a time down costs a lock inside the C library; lines come in bursts within one second.
  thread_local std::time_t cached_second = -1;
  thread_local std::array<char, 40> cached_text{};
  if (second != cached_second) {
    std::tm parts{};
    localtime_r(&second, &parts);
    std::strftime(cached_text.data(), cached_text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    cached_second = second;
  }
  const auto digit = [&](int divisor) { return static_cast<char>('0' + ms / divisor % 10); };
  std::string text = cached_text.data();
  for (const char c : {'.', digit(100), digit(10), digit(1)}) text += c;
  return text;
}

Line::Line(std::string_view level, std::string_view sender) {
  out_.reserve(512);
  text("level", level).text("time", local_time(std::chrono::system_clock::now())).text("sender", sender);
}

void Line::name(std::string_view name) {
  out_ += out_.empty() ? "{\"" : ",\"";
  out_ += name;  // a word of ours: nothing in it wants escaping
  out_ += "\":";
}

Line& Line::text(std::string_view member, std::string_view value) {
  name(member);
  append_quoted(out_, value.substr(0, limits::kMaxLogTextBytes));
  return *this;
}

Line& Line::number(std::string_view member, std::int64_t value) {
  name(member);
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), end);
  return *this;
}

std::string_view Line::finish() {
  out_ += '}';
  return out_;
}

}  // namespace host::core::log
