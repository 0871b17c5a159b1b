// SPDX-License-Identifier: Apache-2.0
//
// Reading configuration files. Start-up only; the JSON library's exceptions end here. Knows no keys.
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "host/config/format_json.h"
#include "host/core/limits.h"

namespace host::config {
namespace {

// The library keeps the last of two equal names in silence; to an operator that is a setting without effect.
class DuplicateNames {
 public:
  bool operator()(int, Tree::parse_event_t event, Tree& parsed) {
    if (event == Tree::parse_event_t::object_start) open_.emplace_back();
    if (event == Tree::parse_event_t::object_end) open_.pop_back();
    if (event == Tree::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second) {
      if (found.empty()) found = parsed.get<std::string>();
    }
    return true;
  }
  std::string found;

 private:
  std::vector<std::set<std::string>> open_;
};

core::Result<Tree> parse_json(std::string_view text) {
  DuplicateNames names;
  try {
    auto tree = Tree::parse(text, std::ref(names));
    if (!names.found.empty()) return core::Error(core::Status::kInvalid, "\"" + names.found + "\" is given twice");
    return core::Result<Tree>(boost::system::in_place_value, std::move(tree));
  } catch (const Tree::parse_error& error) {
    return core::Error(core::Status::kInvalid, "no valid JSON at " + place(text, error.byte));
  } catch (const std::exception& error) {
    return core::Error(core::Status::kInvalid, error.what());
  }
}

constexpr Format kFormats[] = {{".json", parse_json}};

}  // namespace

// Lines and columns from 1, as editors count.
std::string place(std::string_view text, std::size_t offset) {
  std::size_t line = 1, column = 1;
  for (const char c : text.substr(0, offset > 0 ? offset - 1 : 0)) {
    column = c == '\n' ? 1 : column + 1;
    line += c == '\n' ? 1 : 0;
  }
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

std::span<const Format> formats() { return kFormats; }

core::Result<Tree> read_tree(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text(core::limits::kMaxConfigBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return core::Error(core::Status::kIo, file.string() + ": cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > core::limits::kMaxConfigBytes) {
    return core::Error(core::Status::kInvalid,
                       file.string() + ": larger than " + std::to_string(core::limits::kMaxConfigBytes) + " bytes");
  }
  for (const auto& format : formats()) {
    if (file.extension() != format.extension) continue;
    auto tree = format.parse(text);
    if (!tree) return core::Error(core::Status::kInvalid, file.string() + ": " + tree.error().text);
    if (!tree->is_object()) return core::Error(core::Status::kInvalid, file.string() + ": holds no object");
    return tree;
  }
  return core::Error(core::Status::kUnsupported, file.string() + ": unknown format");
}

}  // namespace host::config
