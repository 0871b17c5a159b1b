// SPDX-License-Identifier: Apache-2.0
//
// From tree values to members of Config, by the table of keys. Start-up only. Knows no key by name.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "host/config/assign_json.h"
#include "host/config/nearest.h"
#include "host/config/rules.h"
#include "host/config/shown_json.h"

namespace host::config {
namespace {

constexpr std::size_t kShownBytes = 200;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string shown(const Tree& value, const Key& key) {
  auto text = shown_value(key, value);
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  return text;
}

// One assignment; false when type or value is not allowed.
class Assignment {
 public:
  Assignment(Config& config, const Key& key, const Tree& value) : config_(config), rule_(key.rule), value_(value) {}

  bool operator()(int& (*member)(Config&)) const {
    if (!value_.is_number_integer()) return false;
    const bool fits = value_.is_number_unsigned() ? value_.get<std::uint64_t>() <= static_cast<std::uint64_t>(rule_.max)
                                                  : value_.get<std::int64_t>() <= rule_.max;
    if (!fits || value_.get<std::int64_t>() < rule_.min) return false;
    member(config_) = value_.get<int>();
    return true;
  }
  bool operator()(bool& (*member)(Config&)) const {
    if (!value_.is_boolean()) return false;
    member(config_) = value_.get<bool>();
    return true;
  }
  bool operator()(std::string& (*member)(Config&)) const {
    if (!value_.is_string() || !text_allowed(rule_, value_.get_ref<const std::string&>())) return false;
    member(config_) = value_.get<std::string>();
    return true;
  }
  bool operator()(std::vector<std::string>& (*member)(Config&)) const {
    if (!value_.is_array()) return false;
    std::vector<std::string> list;
    for (const auto& element : value_) {
      const auto* text = text_of(element);
      if (text == nullptr || text->empty() || !text_allowed(rule_, *text)) return false;
      list.push_back(*text);
    }
    member(config_) = std::move(list);
    return true;
  }
  bool operator()(std::uint32_t& (*member)(Config&)) const {
    if (!value_.is_string()) return false;
    const auto& digits = value_.get_ref<const std::string&>();
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 8);
    if (error != std::errc() || end != digits.data() + digits.size() || number > rule_.max) return false;
    member(config_) = number;
    return true;
  }
  bool operator()(TextMap& (*member)(Config&)) const {
    if (!value_.is_object()) return false;
    TextMap map;
    for (const auto& [name, element] : value_.items()) {
      if (rule_.text == Rule::Text::kJsonObject) {
        if (!element.is_object()) return false;
        map[name] = element.dump();
      } else {
        if (!element.is_string() || !text_allowed(rule_, element.get_ref<const std::string&>())) return false;
        map[name] = element.get<std::string>();
      }
    }
    member(config_) = std::move(map);
    return true;
  }

 private:
  // A list's element: the text itself or the one member of an object.
  const std::string* text_of(const Tree& element) const {
    if (element.is_string()) return element.get_ptr<const std::string*>();
    if (rule_.object_member.empty() || !element.is_object() || element.size() != 1) return nullptr;
    const auto member = element.begin();
    return lower(member.key()) == rule_.object_member ? member->get_ptr<const std::string*>() : nullptr;
  }

  Config& config_;
  const Rule& rule_;
  const Tree& value_;
};

void walk(Config& config, const Tree& tree, const std::string& prefix, std::string_view where, Findings& findings) {
  std::vector<std::string> seen;
  for (const auto& [name, value] : tree.items()) {
    const std::string path = prefix + lower(name);
    if (std::find(seen.begin(), seen.end(), path) != seen.end()) {
      findings.problems.push_back(std::string(where) + ": " + path + " is given twice");
      continue;
    }
    seen.push_back(path);
    if (const Key* key = find_key(path)) {
      assign_value(config, *key, value, where, findings);
    } else if (!is_section(path)) {
      findings.warnings.push_back(std::string(where) + ": " + unknown(value.is_object() ? "section" : "key", path));
    } else if (value.is_object()) {
      walk(config, value, path + ".", where, findings);
    } else if (!value.is_null()) {
      findings.problems.push_back(std::string(where) + ": " + path + " must be an object");
    }
  }
}

}  // namespace

void assign_tree(Config& config, const Tree& tree, std::string_view where, Findings& findings) {
  walk(config, tree, "", where, findings);
}

void assign_value(Config& config, const Key& key, const Tree& value, std::string_view where, Findings& findings) {
  if (value.is_null()) return;  // as if the key were not there
  if (std::visit(Assignment(config, key, value), key.target)) return;
  findings.problems.push_back(std::string(where) + ": " + std::string(key.path) + ": found " + shown(value, key) +
                              ", allowed is " + allowed_values(key));
}

std::string value_text(const Config& config, const Key& key) {
  auto& readable = const_cast<Config&>(config);  // the accessors serve reading and writing alike
  return std::visit(
      [&](auto member) {
        const auto& value = member(readable);
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::uint32_t>) {
          return Tree(octal_text(value)).dump();
        } else if constexpr (std::is_same_v<Value, TextMap>) {
          Tree map = Tree::object();
          for (const auto& [name, text] : value) {
            map[name] = key.rule.text == Rule::Text::kJsonObject ? Tree::parse(text) : Tree(text);
          }
          return map.dump();
        } else {
          return Tree(value).dump(-1, ' ', false, Tree::error_handler_t::replace);
        }
      },
      key.target);
}

std::string unknown(std::string_view what, std::string_view path) {
  const auto close = nearest_key(path);
  return "unknown " + std::string(what) + " " + std::string(path) +
         (close.empty() ? "" : ", did you mean " + std::string(close) + "?");
}

}  // namespace host::config
