// SPDX-License-Identifier: Apache-2.0
//
// The remote side of rsync, as rsync's client starts it (its options.c, server_options()): `rsync --server [--sender]
// OPTIONS . PATH...`. Every option is known by name, what takes a path is kept within the home, and the rest is
// refused: options that name other files, lists of files that come later, hidden arguments (-s).
#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

#include "host/commands/program.h"

namespace host::commands {
namespace {

using core::Error;
using core::Result;
using core::ShellWord;
using core::Status;
using core::VirtualPath;

// Letters without a value. Not K: it follows links where it writes. Not s: it sends the arguments later, unseen.
constexpr std::string_view kLetters = "vqbunldmOJyLkWHogDtUNpEAXrcCIRxSz";

// Without a value.
constexpr std::string_view kFlags[] = {
    "append",
    "compress",
    "copy-unsafe-links",
    "delay-updates",
    "delete",
    "delete-after",
    "delete-before",
    "delete-delay",
    "delete-during",
    "delete-excluded",
    "delete-missing-args",
    "existing",
    "force",
    "from0",
    "fsync",
    "fuzzy",
    "ignore-errors",
    "ignore-existing",
    "ignore-missing-args",
    "inplace",
    "list-only",
    "mkpath",
    "msgs2stderr",
    "munge-links",
    "new-compress",
    "no-W",
    "no-i-r",
    "no-inc-recursive",
    "no-msgs2stderr",
    "no-r",
    "no-relative",
    "numeric-ids",
    "old-compress",
    "open-noatime",
    "partial",
    "preallocate",
    "remove-sent-files",
    "remove-source-files",
    "safe-links",
    "size-only",
    "stats",
    "use-qsort",
};

// What it reads, it removes afterwards.
constexpr std::string_view kRemoving[] = {"remove-sent-files", "remove-source-files"};

// With a value that is no path, always in the same word.
constexpr std::string_view kValues[] = {
    "block-size",     "bwlimit",  "checksum-choice", "checksum-seed", "compress-choice",
    "compress-level", "debug",    "iconv",           "info",          "log-format",
    "max-delete",     "max-size", "min-size",        "modify-window", "skip-compress",
    "suffix",         "timeout",
};

// With a directory, in the same word or the next one. Relative ones start at the destination.
constexpr std::string_view kDirectories[] = {
    "backup-dir", "compare-dest", "copy-dest", "link-dest", "partial-dir", "temp-dir",
};

bool among(std::string_view name, const auto& list) { return std::ranges::find(list, name) != std::end(list); }

bool digits(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

// What follows -e on this side is no command but what the client can do: "-e.LsfxCIvu".
bool abilities(std::string_view text) {
  return text.starts_with('.') &&
         std::ranges::all_of(text, [](unsigned char c) { return c == '.' || std::isalnum(c) != 0; });
}

bool good_letters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 'e') return abilities(text.substr(i + 1));
    if (text[i] == 'B' || text[i] == '@') return digits(text.substr(i + 1));
    if (kLetters.find(text[i]) == std::string_view::npos) return false;
  }
  return !text.empty();
}

std::size_t depth(const VirtualPath& path) {
  return path.is_root() ? 0 : static_cast<std::size_t>(std::ranges::count(path.str(), '/'));
}

bool climbs_out(std::string_view relative, std::size_t from) {
  while (!relative.empty()) {
    const auto slash = relative.find('/');
    const auto part = relative.substr(0, slash);
    relative = slash == std::string_view::npos ? std::string_view() : relative.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      ++from;
    } else if (from-- == 0) {
      return true;
    }
  }
  return false;
}

class Parser {
 public:
  explicit Parser(const std::vector<ShellWord>& words) : words_(words) {}
  Result<Program> run();

 private:
  struct Directory {
    std::size_t at;  // in options_
    std::string option, value;
  };
  bool option(const std::string& word);
  bool take_directory(std::string_view name, std::optional<std::string_view> value);
  Result<void> take_paths();
  Result<void> place(const Directory& directory);

  const std::vector<ShellWord>& words_;
  std::size_t at_ = 1;
  bool sender_ = false;
  std::vector<std::string> options_;
  std::vector<Directory> directories_;
  std::vector<std::string> paths_;
  vfs::ProgramRequest request_;
};

bool Parser::take_directory(std::string_view name, std::optional<std::string_view> value) {
  if (!value) {
    if (at_ == words_.size()) return false;
    value = words_[at_++].text;
  }
  if (value->empty()) return false;
  directories_.push_back({options_.size(), std::string(name), std::string(*value)});
  options_.emplace_back();  // until the destination is known
  return true;
}

bool Parser::option(const std::string& word) {
  std::string_view name = word;
  if (!name.starts_with("--")) {
    if (!name.starts_with('-') || !good_letters(name.substr(1))) return false;
    options_.push_back(word);
    return true;
  }
  name.remove_prefix(2);
  std::optional<std::string_view> value;
  if (const auto equals = name.find('='); equals != std::string_view::npos) {
    value = name.substr(equals + 1);
    name = name.substr(0, equals);
  }
  if (among(name, kDirectories)) return take_directory(name, value);
  if (name == "sender" && !value) return sender_ = true;
  if (value ? !among(name, kValues) : !among(name, kFlags)) return false;
  if (among(name, kRemoving)) request_.removes = true;
  options_.push_back(word);
  return true;
}

Result<void> Parser::take_paths() {
  for (; at_ < words_.size(); ++at_) {
    const std::string& text = words_[at_].text;
    const auto path = VirtualPath::clean(text);
    request_.paths.push_back(path);
    // A trailing slash means the contents.
    const bool contents = text.ends_with('/') || text.ends_with("/.") || text == ".";
    paths_.push_back(local_name(path) + (contents ? "/" : ""));
  }
  if (paths_.empty() || (!sender_ && paths_.size() != 1))
    return Error(Status::kInvalid, "paths are missing or too many");
  return core::ok();
}

Result<void> Parser::place(const Directory& directory) {
  const VirtualPath& destination = request_.paths.front();
  std::string value = directory.value;
  if (value.starts_with('/')) {
    const auto path = VirtualPath::clean(value);
    value = ".";
    for (std::size_t i = depth(destination); i > 0; --i) value += "/..";
    value += path.str();
  } else if (climbs_out(value, depth(destination))) {
    return Error(Status::kDenied, "--" + directory.option + " leads out of the home");
  }
  request_.paths.push_back(VirtualPath::clean(value, destination));
  options_[directory.at] = "--" + directory.option + "=" + value;
  return core::ok();
}

Result<Program> Parser::run() {
  if (words_.size() < 2 || words_[1].text != "--server")
    return Error(Status::kInvalid, "only the remote side of rsync runs here");
  for (at_ = 2; at_ < words_.size() && words_[at_].text != ".";) {
    const std::string& word = words_[at_++].text;
    if (!option(word)) return Error(Status::kInvalid, "the option " + word + " is not allowed here");
  }
  ++at_;  // the "."
  if (auto taken = take_paths(); !taken) return taken.error();
  for (const auto& directory : directories_) {
    if (auto placed = place(directory); !placed) return placed.error();
  }
  Program program;
  program.name = "rsync";
  request_.anywhere = true;
  request_.writes = !sender_;
  program.request = std::move(request_);
  program.words = {"--server"};
  // As for all other ways to bring files: no other owner, no devices, no set-id bits.
  if (sender_) {
    program.words.emplace_back("--sender");
  } else {
    program.words.insert(program.words.end(), {"--no-super", "--chmod=ug-s,o-t"});
  }
  program.words.insert(program.words.end(), options_.begin(), options_.end());
  program.words.emplace_back(".");
  program.words.insert(program.words.end(), paths_.begin(), paths_.end());
  program.if_links = {"--safe-links"};
  program.if_no_links = {"--munge-links"};
  return program;
}

}  // namespace

Result<Program> parse_rsync(const std::vector<ShellWord>& words) { return Parser(words).run(); }

}  // namespace host::commands
