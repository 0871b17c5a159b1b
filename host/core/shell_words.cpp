// SPDX-License-Identifier: Apache-2.0
//
// Only the quoting rules of sh(1). Pure function, any thread.
#include "host/core/shell_words.h"

namespace host::core {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kWildcards = "*?[";
constexpr std::string_view kSpecialInPatterns = "*?[]\\";

class Splitter {
 public:
  explicit Splitter(std::string_view line) : line_(line) {}

  bool run() {
    while (at_ < line_.size()) {
      const char c = line_[at_++];
      if (kBlanks.find(c) != std::string_view::npos) {
        finish();
      } else if (c == '#' && !open_) {
        return true;
      } else if (!take(c)) {
        return false;
      }
    }
    finish();
    return true;
  }
  std::vector<ShellWord>& words() { return words_; }

 private:
  bool take(char c) {
    open_ = true;
    switch (c) {
      case '\'': return single_quoted();
      case '"': return double_quoted();
      case '\\':
        if (at_ == line_.size()) return false;
        quoted(line_[at_++]);
        return true;
      default:
        word_.text += c;
        word_.pattern += c;
        word_.has_wildcard = word_.has_wildcard || kWildcards.find(c) != std::string_view::npos;
        return true;
    }
  }
  bool single_quoted() {
    for (; at_ < line_.size(); ++at_) {
      if (line_[at_] == '\'') return ++at_, true;
      quoted(line_[at_]);
    }
    return false;
  }
  bool double_quoted() {
    for (; at_ < line_.size(); ++at_) {
      if (line_[at_] == '"') return ++at_, true;
      const bool escape = line_[at_] == '\\' && at_ + 1 < line_.size() &&
                          std::string_view("\"\\$`").find(line_[at_ + 1]) != std::string_view::npos;
      if (escape) ++at_;
      quoted(line_[at_]);
    }
    return false;
  }
  void quoted(char c) {
    word_.text += c;
    if (kSpecialInPatterns.find(c) != std::string_view::npos) word_.pattern += '\\';
    word_.pattern += c;
  }
  void finish() {
    if (open_) words_.push_back(std::move(word_));
    word_ = {};
    open_ = false;
  }

  const std::string_view line_;
  std::size_t at_ = 0;
  bool open_ = false;
  ShellWord word_;
  std::vector<ShellWord> words_;
};

}  // namespace

std::optional<std::vector<ShellWord>> split_shell_words(std::string_view line) {
  Splitter splitter(line);
  if (!splitter.run()) return std::nullopt;
  return std::move(splitter.words());
}

}  // namespace host::core
