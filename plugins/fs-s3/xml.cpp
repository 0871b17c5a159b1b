// SPDX-License-Identifier: Apache-2.0
//
// Poco's SAX parser with limits. The text's size was bounded when it was received.
#include "xml.h"

#include <Poco/Exception.h>
#include <Poco/SAX/DefaultHandler.h>
#include <Poco/SAX/SAXParser.h>

#include <vector>

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxTextBytes = 64 * 1024;  // of one element

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
    at_end_(path_, open_.back().text);
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
  try {
    parser.parseMemoryNP(text.data(), text.size());
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
