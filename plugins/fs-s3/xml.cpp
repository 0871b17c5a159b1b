// SPDX-License-Identifier: Apache-2.0
//
// Poco's SAX parser with limits. The text's size was bounded when it was received. A key may have characters that XML
// has not, and stores write them nevertheless, so they go past the parser in disguise.
#include "xml.h"

#include <Poco/Exception.h>
#include <Poco/SAX/DefaultHandler.h>
#include <Poco/SAX/SAXParser.h>

#include <charconv>
#include <cstdint>
#include <span>
#include <vector>

#include "encoding.h"

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxTextBytes = 64 * 1024;  // of one element

// U+E000, which means nothing to anybody: each byte in disguise is this and two digits. So are its own.
constexpr std::string_view kMask = "\xEE\x80\x80", kNoChars[] = {"\xEF\xBF\xBE", "\xEF\xBF\xBF", kMask};
constexpr std::uint32_t kMaskCode = 0xE000, kFirstNoChar = 0xFFFE, kLastNoChar = 0xFFFF;

void disguise(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.append(kMask).append(hex(std::span(&byte, 1)));
  }
}

bool is_control(std::uint32_t code) { return code < ' ' && code != '\t' && code != '\n' && code != '\r'; }

// At the beginning of `text`: the bytes that want a disguise, and how long they are there.
struct Misfit {
  std::string bytes = {};
  std::size_t length = 0;
};
Misfit misfit_at(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  constexpr unsigned char kPastAscii = 0x80;
  if (first >= ' ' && first < kPastAscii && first != '&') return {};
  if (is_control(first)) return {std::string(text.substr(0, 1)), 1};
  for (const auto none : kNoChars) {
    if (text.starts_with(none)) return {std::string(none), none.size()};
  }
  if (!text.starts_with("&#")) return {};
  const bool is_hex = text.substr(2).starts_with('x');
  const std::string_view digits = text.substr(is_hex ? 3 : 2);
  std::uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hex ? 16 : 10);
  if (error != std::errc() || end == digits.data() + digits.size() || *end != ';') return {};
  const auto length = static_cast<std::size_t>(end + 1 - text.data());
  if (is_control(code)) return {std::string(1, static_cast<char>(code)), length};
  if (code == kFirstNoChar || code == kLastNoChar) return {std::string(kNoChars[code - kFirstNoChar]), length};
  if (code == kMaskCode) return {std::string(kMask), length};
  return {};
}

std::string disguised(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Misfit misfit = misfit_at(text.substr(at));
    if (misfit.length == 0) {
      out += text[at++];
      continue;
    }
    disguise(out, misfit.bytes);
    at += misfit.length;
  }
  return out;
}

std::string undisguised(std::string_view text) {
  std::string out;
  for (std::size_t mask = 0; (mask = text.find(kMask)) != text.npos;) {
    out += text.substr(0, mask);
    text.remove_prefix(mask + kMask.size());
    const auto digits = text.substr(0, 2);
    unsigned char byte = 0;
    (void)std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    out += static_cast<char>(byte);
    text.remove_prefix(digits.size());
  }
  return out.append(text);
}

class Handler final : public Poco::XML::DefaultHandler {
 public:
  explicit Handler(const XmlEnd& at_end) : at_end_(at_end) {}

  void startElement(const Poco::XML::XMLString&, const Poco::XML::XMLString& local, const Poco::XML::XMLString&,
                    const Poco::XML::Attributes&) override {
    if (open_.size() == kMaxDepth) throw Poco::DataFormatException("too deep");
    open_.push_back({path_.size(), {}});
    if (!path_.empty()) path_ += '/';
    path_ += local;
  }
  void characters(const Poco::XML::XMLChar text[], int start, int length) override {
    if (open_.empty()) return;
    auto& have = open_.back().text;
    if (have.size() + static_cast<std::size_t>(length) > kMaxTextBytes) throw Poco::DataFormatException("too long");
    have.append(text + start, static_cast<std::size_t>(length));
  }
  void endElement(const Poco::XML::XMLString&, const Poco::XML::XMLString&, const Poco::XML::XMLString&) override {
    at_end_(path_, undisguised(open_.back().text));
    path_.resize(open_.back().path_before);
    open_.pop_back();
  }

 private:
  struct Element {
    std::size_t path_before;
    std::string text;
  };
  const XmlEnd& at_end_;
  std::string path_;
  std::vector<Element> open_;
};

}  // namespace

bool parse_xml(const std::string& text, const XmlEnd& at_end) {
  if (text.find("<!DOCTYPE") != std::string::npos) return false;
  Handler handler(at_end);
  Poco::XML::SAXParser parser;
  parser.setContentHandler(&handler);
  const std::string fit = disguised(text);
  try {
    parser.parseMemoryNP(fit.data(), fit.size());
    return true;
  } catch (const Poco::Exception&) {
    return false;
  }
}

std::string xml_element(const std::string& text, std::string_view path) {
  std::string found;
  const bool parsed = parse_xml(text, [&](std::string_view at, const std::string& content) {
    if (at == path) found = content;
  });
  return parsed ? found : std::string();
}

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace fs_s3
