// SPDX-License-Identifier: Apache-2.0
//
// A validator for the small JSON-Schema subset that plugins describe their settings with. Recursion follows the schema,
// and the depth of every text is bounded before anything walks it. Any thread; must not know what a setting means, nor
// let a secret into an error text.
#include "host/plugin/schema_check.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <regex>
#include <utility>
#include <vector>

#include "host/core/limits.h"
#include "host/plugin/sealed_text.h"

namespace host::plugin {

using core::Error;
using core::Result;
using core::Status;
using nlohmann::json;

struct Schema::Tree {
  json root;
};

namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kShownBytes = 80;         // of a wrong value in an error text
constexpr std::size_t kMaxPatternBytes = 4096;  // std::regex recurses per character
constexpr std::array kTypes{"object", "array", "string", "integer", "number", "boolean", "null"};
constexpr std::array kKeywords{"type",
                               "properties",
                               "required",
                               "enum",
                               "default",
                               "minimum",
                               "maximum",
                               "pattern",
                               "description",
                               "writeOnly",
                               "additionalProperties",
                               "dependentRequired"};

Result<void> parse_text(std::string_view text, json& value) {
  if (text.size() > core::limits::kMaxConfigBytes) return Error(Status::kInvalid, "text is too long");
  bool too_deep = false;
  const auto bounded = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  try {
    value = json::parse(text, bounded);
    if (too_deep) return Error(Status::kInvalid, "nested more than " + std::to_string(kMaxDepth) + " deep");
    return core::ok();
  } catch (const json::parse_error& e) {
    // The library's own text quotes what it read, which may be a secret.
    return Error(Status::kInvalid, "not JSON: error at byte " + std::to_string(e.byte));
  } catch (const json::exception&) {
    return Error(Status::kInvalid, "not JSON");
  }
}

std::string type_of(const json& value) {
  if (value.is_number_integer()) return "integer";
  return value.type_name();
}

bool fits_type(const json& value, std::string_view type) {
  if (type == "number") return value.is_number();
  return type_of(value) == type;
}

std::string article(std::string_view noun) {
  const bool vowel = std::string_view("aeiou").find(noun.front()) != std::string_view::npos;
  return (vowel ? "an " : "a ") + std::string(noun);
}

std::string shown(const json& value) {
  auto text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kShownBytes) text = text.substr(0, kShownBytes) + "...";
  return text;
}

bool holds_secret(const json& schema) {
  if (schema.value("writeOnly", false)) return true;
  if (const auto extra = schema.find("additionalProperties");
      extra != schema.end() && extra->is_object() && holds_secret(*extra))
    return true;
  const auto properties = schema.find("properties");
  return properties != schema.end() && std::any_of(properties->begin(), properties->end(), holds_secret);
}

// What a value of this schema may be, in words.
std::string allowed(const json& schema) {
  if (const auto choices = schema.find("enum"); choices != schema.end()) return "one of " + shown(*choices);
  std::string text = schema.contains("type") ? article(schema["type"].get<std::string>()) : "any value";
  if (schema.contains("minimum")) text += ", at least " + shown(schema["minimum"]);
  if (schema.contains("maximum")) text += ", at most " + shown(schema["maximum"]);
  if (!schema.contains("pattern")) return text;
  if (schema.contains("description")) text += " (" + schema["description"].get<std::string>() + ")";
  return text + " that matches " + schema["pattern"].get<std::string>();
}

std::string found(const json& schema, const json& value, bool secret) {
  if (secret || holds_secret(schema)) return article(type_of(value)) + " (secret, not shown)";
  if (value.is_structured()) return article(type_of(value));
  return shown(value);
}

std::string join(const std::string& path, const std::string& member) {
  return path.empty() ? member : path + "." + member;
}

bool within_range(const json& schema, const json& value) {
  const auto number = value.get<long double>();
  if (schema.contains("minimum") && number < schema["minimum"].get<long double>()) return false;
  return !schema.contains("maximum") || number <= schema["maximum"].get<long double>();
}

bool matches(const std::string& text, const std::string& pattern) {
  if (text.size() > kMaxPatternBytes) return false;
  try {
    return std::regex_search(text, std::regex(pattern, std::regex::ECMAScript));
  } catch (const std::regex_error&) {
    return false;  // too complex for this text
  }
}

bool fits(const json& schema, const json& value) {
  if (const auto type = schema.find("type");
      type != schema.end() && !fits_type(value, type->get_ref<const std::string&>()))
    return false;
  if (const auto choices = schema.find("enum");
      choices != schema.end() && std::find(choices->begin(), choices->end(), value) == choices->end())
    return false;
  if (value.is_number() && !within_range(schema, value)) return false;
  return !value.is_string() || !schema.contains("pattern") ||
         matches(value.get_ref<const std::string&>(), schema["pattern"].get_ref<const std::string&>());
}

std::string names_of(const json& properties) {
  std::string names;
  for (const auto& [name, unused] : properties.items()) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "no member at all" : names;
}

// Empty texts count as absent: that is how accounts clear a setting.
bool is_given(const json& object, const std::string& name) {
  const auto found = object.find(name);
  return found != object.end() && !(found->is_string() && found->get_ref<const std::string&>().empty());
}

Result<void> check_companions(const json& schema, const json& object, const std::string& path) {
  const auto rules = schema.find("dependentRequired");
  if (rules == schema.end()) return core::ok();
  for (const auto& [name, others] : rules->items()) {
    if (!is_given(object, name)) continue;
    for (const auto& other : others) {
      const auto& text = other.get_ref<const std::string&>();
      if (!is_given(object, text)) return Error(Status::kInvalid, join(path, text) + ": missing; it goes with " + name);
    }
  }
  return core::ok();
}

Result<void> check_value(const json& schema, json& value, const std::string& path, bool secret);

Result<void> check_members(const json& schema, json& object, const std::string& path, bool secret) {
  static const json kNone = json::object();
  const auto listed = schema.find("properties");
  const json& properties = listed != schema.end() ? *listed : kNone;
  for (const auto& [name, rule] : properties.items()) {
    if (!object.contains(name) && rule.contains("default")) object[name] = rule["default"];
  }
  if (const auto required = schema.find("required"); required != schema.end()) {
    for (const auto& name : *required) {
      const auto& text = name.get_ref<const std::string&>();
      if (object.contains(text)) continue;
      const auto rule = properties.find(text);
      return Error(Status::kInvalid,
                   join(path, text) + ": missing; wanted " + (rule != properties.end() ? allowed(*rule) : "any value"));
    }
  }
  if (auto together = check_companions(schema, object, path); !together) return together;
  const auto extra = schema.find("additionalProperties");
  for (auto& [name, value] : object.items()) {
    const auto rule = properties.find(name);
    const json* use = rule != properties.end() ? &*rule : nullptr;
    if (use == nullptr && extra != schema.end()) {
      if (extra->is_object())
        use = &*extra;
      else if (!extra->get<bool>())
        return Error(Status::kInvalid, join(path, name) + ": unknown; allowed are " + names_of(properties));
    }
    if (use == nullptr) continue;
    if (auto checked = check_value(*use, value, join(path, name), secret); !checked) return checked;
  }
  return core::ok();
}

Result<void> check_value(const json& schema, json& value, const std::string& path, bool secret) {
  secret = secret || schema.value("writeOnly", false);
  // Of a secret that comes from where it is stored only the type can be judged.
  const bool sealed = secret && value.is_string() && is_sealed(value.get_ref<const std::string&>());
  if (!(sealed ? fits_type(value, schema.value("type", "string")) : fits(schema, value))) {
    return Error(Status::kInvalid, (path.empty() ? "" : path + ": ") + "found " + found(schema, value, secret) +
                                       ", allowed is " + allowed(schema));
  }
  return value.is_object() ? check_members(schema, value, path, secret) : core::ok();
}

void blank(const json& schema, json& value) {
  if (schema.value("writeOnly", false)) {
    value = value.is_string() ? json(shown_form(value.get_ref<const std::string&>())) : json();
    return;
  }
  if (!value.is_object()) return;
  const auto properties = schema.find("properties");
  const auto extra = schema.find("additionalProperties");
  for (auto& [name, member] : value.items()) {
    if (properties != schema.end() && properties->contains(name))
      blank((*properties)[name], member);
    else if (extra != schema.end() && extra->is_object())
      blank(*extra, member);
  }
}

bool is_left_out(const json& value) {
  return value.is_null() || (value.is_string() && (value.get_ref<const std::string&>().empty() ||
                                                   is_shown_form(value.get_ref<const std::string&>())));
}

// An empty secret whose companions are empty, too, is to go.
bool is_cleared(const json& schema, const json& object, const std::string& name) {
  const auto rules = schema.find("dependentRequired");
  if (rules == schema.end() || !rules->contains(name) || object.at(name) != "") return false;
  const auto& others = (*rules)[name];
  return std::any_of(others.begin(), others.end(),
                     [&](const json& other) { return !is_given(object, other.get_ref<const std::string&>()); });
}

// Secrets as `blank` leaves them take their stored value again.
void keep(const json& schema, const json& stored, json& value) {
  if (schema.value("writeOnly", false)) {
    if (is_left_out(value)) value = stored;
    return;
  }
  if (!value.is_object() || !stored.is_object()) return;
  const auto properties = schema.find("properties");
  const auto extra = schema.find("additionalProperties");
  for (auto& [name, member] : value.items()) {
    const auto old = stored.find(name);
    if (old == stored.end() || is_cleared(schema, value, name)) continue;
    if (properties != schema.end() && properties->contains(name))
      keep((*properties)[name], *old, member);
    else if (extra != schema.end() && extra->is_object())
      keep(*extra, *old, member);
  }
}

Result<void> change_all(const json& schema, json& value, const std::string& path, const SecretChange& change) {
  if (schema.value("writeOnly", false)) {
    if (!value.is_string()) return core::ok();
    auto changed = change(path, value.get_ref<const std::string&>());
    if (!changed) return changed.error();
    value = std::move(*changed);
    return core::ok();
  }
  if (!value.is_object()) return core::ok();
  const auto properties = schema.find("properties");
  const auto extra = schema.find("additionalProperties");
  for (auto& [name, member] : value.items()) {
    const json* use = properties != schema.end() && properties->contains(name) ? &(*properties)[name]
                      : extra != schema.end() && extra->is_object()            ? &*extra
                                                                               : nullptr;
    if (use == nullptr) continue;
    if (auto done = change_all(*use, member, join(path, name), change); !done) return done;
  }
  return core::ok();
}

// --- the schema itself ---

Error broken(const std::string& path, const std::string& reason) {
  return {Status::kInvalid, "schema" + (path.empty() ? "" : " of " + path) + ": " + reason};
}

template <class Words>
bool is_one_of(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

Result<void> check_keyword(const std::string& word, const json& value, const std::string& path) {
  if (!is_one_of(kKeywords, word))
    return broken(path, "keyword \"" + word + "\" is not supported (docs/plugin-config.md lists those that are)");
  const auto must = [&](bool is, const char* what) -> Result<void> {
    if (is) return core::ok();
    return broken(path, word + " must be " + what);
  };
  if (word == "type")
    return must(value.is_string() && is_one_of(kTypes, value.get<std::string>()), "the name of one JSON type");
  if (word == "description") return must(value.is_string(), "a string");
  if (word == "writeOnly") return must(value.is_boolean(), "true or false");
  if (word == "minimum" || word == "maximum") return must(value.is_number(), "a number");
  if (word == "enum") return must(value.is_array() && !value.empty(), "a list with something in it");
  if (word == "properties") return must(value.is_object(), "an object");
  if (word == "additionalProperties") return must(value.is_boolean() || value.is_object(), "true, false or a schema");
  const auto names = [](const json& list) {
    return list.is_array() && std::all_of(list.begin(), list.end(), [](const json& name) { return name.is_string(); });
  };
  if (word == "required") return must(names(value), "a list of names");
  if (word == "dependentRequired")
    return must(value.is_object() && std::all_of(value.begin(), value.end(), names), "an object of lists of names");
  if (word != "pattern") return core::ok();
  if (!value.is_string()) return broken(path, "pattern must be a string");
  try {
    const std::regex compiled(value.get<std::string>(), std::regex::ECMAScript);
    return core::ok();
  } catch (const std::regex_error&) {
    return broken(path, "pattern is not a regular expression (ECMAScript)");
  }
}

// Also completes the defaults, so that filling one in is a plain copy.
Result<void> check_schema(json& schema, const std::string& path) {
  if (!schema.is_object()) return broken(path, "not an object");
  for (const auto& [word, value] : schema.items()) {
    if (auto checked = check_keyword(word, value, path); !checked) return checked;
  }
  if (const auto properties = schema.find("properties"); properties != schema.end()) {
    for (auto& [name, rule] : properties->items()) {
      if (auto checked = check_schema(rule, join(path, name)); !checked) return checked;
    }
  }
  if (const auto extra = schema.find("additionalProperties"); extra != schema.end() && extra->is_object()) {
    if (auto checked = check_schema(*extra, join(path, "*")); !checked) return checked;
  }
  if (const auto preset = schema.find("default"); preset != schema.end()) {
    if (auto checked = check_value(schema, *preset, path, false); !checked)
      return broken(path, "the default breaks it: " + checked.error().text);
  }
  return core::ok();
}

}  // namespace

Schema::Schema(std::shared_ptr<const Tree> tree) : tree_(std::move(tree)) {}

Result<Schema> Schema::parse(std::string_view text) {
  json root;
  if (auto parsed = parse_text(text, root); !parsed) return broken("", parsed.error().text);
  if (auto checked = check_schema(root, ""); !checked) return checked.error();
  if (root.value("type", "") != "object") return broken("", "the outermost type must be \"object\"");
  return Schema(std::make_shared<const Tree>(Tree{std::move(root)}));
}

Result<std::string> Schema::check(std::string_view settings_json, std::string_view where) const {
  json settings;
  if (auto parsed = parse_text(settings_json, settings); !parsed) {
    return Error(Status::kInvalid, std::string(where) + ": " + parsed.error().text);
  }
  if (auto checked = check_value(tree_->root, settings, std::string(where), false); !checked) return checked.error();
  return settings.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Schema::blank_secrets(std::string_view settings_json) const {
  json settings;
  if (!parse_text(settings_json, settings) || !settings.is_object()) return "{}";
  blank(tree_->root, settings);
  return settings.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Schema::keep_secrets(std::string_view stored, std::string_view changed) const {
  json old, value;
  if (!parse_text(changed, value) || !value.is_object() || !parse_text(stored, old)) return std::string(changed);
  keep(tree_->root, old, value);
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> Schema::change_secrets(std::string_view settings_json, const SecretChange& change) const {
  json value;
  if (!parse_text(settings_json, value) || !value.is_object()) return std::string(settings_json);
  if (auto done = change_all(tree_->root, value, "", change); !done) return done.error();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace host::plugin
