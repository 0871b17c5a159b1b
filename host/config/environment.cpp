// SPDX-License-Identifier: Apache-2.0
//
// Variables hold plain text: numbers in digits, lists separated by commas. Their text becomes a tree value of the key's
// type and then passes the same checks as a file. Start-up only.
#include <cctype>
#include <charconv>

#include "host/config/environment_json.h"

namespace host::config {
namespace {

constexpr std::string_view kPrefix = "SFTPGO_";
constexpr std::string_view kLevel = "__";

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

// Text that does not fit the type stays text: the check then refuses it and shows it as it was written.
struct ToTree {
  std::string_view text;

  Tree operator()(int& (*)(Config&)) const {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? Tree(number) : Tree(text);
  }
  Tree operator()(bool& (*)(Config&)) const {
    for (const auto word : {"1", "t", "T", "true", "TRUE", "True"}) {
      if (text == word) return true;
    }
    for (const auto word : {"0", "f", "F", "false", "FALSE", "False"}) {
      if (text == word) return false;
    }
    return text;
  }
  Tree operator()(std::string& (*)(Config&)) const { return text; }
  Tree operator()(std::uint32_t& (*)(Config&)) const { return text; }
  Tree operator()(std::vector<std::string>& (*)(Config&)) const {
    Tree list = Tree::array();
    for (std::string_view rest = text; !rest.empty();) {
      const auto comma = rest.find(',');
      if (const auto element = trimmed(rest.substr(0, comma)); !element.empty()) list.push_back(element);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
    return list;
  }
  Tree operator()(TextMap& (*)(Config&)) const { return json_or_text(); }

  Tree json_or_text() const {
    auto value = Tree::parse(text, nullptr, false);
    return value.is_discarded() ? Tree(text) : value;
  }
};

std::string path_of(std::string_view variable) {
  std::string path;
  for (std::size_t at = 0; at < variable.size(); ++at) {
    if (variable.substr(at).starts_with(kLevel)) {
      path += '.';
      at += kLevel.size() - 1;
    } else {
      path += static_cast<char>(std::tolower(static_cast<unsigned char>(variable[at])));
    }
  }
  return path;
}

// plugins.storage.fs_local.key: an entry of a map, or a member of an entry that is an object. Plugin names have '-'
// where variables can only have '_'.
void assign_entry(Config& config, const Key& key, std::string_view rest, std::string_view value, std::string_view where,
                  Findings& findings) {
  Tree map = Tree::parse(value_text(config, key));
  const auto dot = rest.find('.');
  std::string name(rest.substr(0, dot));
  for (char& c : name) c = c == '_' ? '-' : c;
  if (key.rule.text != Rule::Text::kJsonObject) {
    map[name] = value;
  } else if (dot == std::string_view::npos) {
    map[name] = ToTree{value}.json_or_text();
  } else {
    map[name][std::string(rest.substr(dot + 1))] = ToTree{value}.json_or_text();
  }
  assign_value(config, key, map, where, findings);
}

void assign_variable(Config& config, const std::string& path, std::string_view value, std::string_view where,
                     Findings& findings) {
  if (const Key* key = find_key(path)) {
    assign_value(config, *key, std::visit(ToTree{value}, key->target), where, findings);
    return;
  }
  for (const Key& key : keys()) {
    const bool is_map = std::holds_alternative<TextMap& (*)(Config&)>(key.target);
    if (is_map && path.starts_with(key.path) && path.size() > key.path.size() + 1 && path[key.path.size()] == '.') {
      assign_entry(config, key, std::string_view(path).substr(key.path.size() + 1), value, where, findings);
      return;
    }
  }
  findings.warnings.push_back(std::string(where) + ": " + unknown("key", path));
}

}  // namespace

void assign_environment(Config& config, const char* const* environment, Findings& findings) {
  for (; environment != nullptr && *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    const auto equals = entry.find('=');
    if (!entry.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    const auto variable = entry.substr(0, equals);
    if (variable.find(kLevel) == std::string_view::npos) continue;
    assign_variable(config, path_of(variable.substr(kPrefix.size())), entry.substr(equals + 1), variable, findings);
  }
}

}  // namespace host::config
