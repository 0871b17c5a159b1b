// SPDX-License-Identifier: Apache-2.0
//
// The table of every configuration key. The default of a key is its value in a default-constructed Config; its type is
// that of the member it is stored in.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/config/config.h"

namespace host::config {

using TextMap = std::map<std::string, std::string>;

// Where a key's value lives. Octal is a number written as text ("0022").
using Target = std::variant<int& (*)(Config&), bool& (*)(Config&), std::string& (*)(Config&),
                            std::vector<std::string>& (*)(Config&), std::uint32_t& (*)(Config&), TextMap& (*)(Config&)>;

// What is allowed beyond the type. Only the members that fit the type are used.
struct Rule {
  enum class Text {
    kAny,
    kOneOf,
    kPluginName,
    kAbsolutePath,
    kHook,
    kUrl,
    kAlgorithm,
    kAddress,
    kNetwork,
    kIdentification,
    kSha256,
    kJsonObject
  };
  std::int64_t min = 0, max = 0;  // numbers
  Text text = Text::kAny;         // texts, each element of a list, each value of a map
  std::span<const std::string_view> one_of = {};
  std::string_view object_member = {};  // lists: an element may also be an object with this one text member
};

struct Key {
  enum Flag : unsigned {
    kSecret = 1,  // never printed
    kOurs = 2,    // not in the replaced system
    kLive = 4,    // taken over on SIGHUP, for new connections; the others need a restart
  };
  std::string_view path;  // "sftpd.bind_port"
  Target target;
  Rule rule;
  unsigned flags;
  std::string_view doc;

  bool has(Flag flag) const { return (flags & flag) != 0; }
};

std::span<const Key> keys();
const Key* find_key(std::string_view path);  // lower case; nullptr when there is none
// True when keys below `path` exist: "sftpd", "sftpd.actions".
bool is_section(std::string_view path);

// In words for messages and the reference: "number", "a whole number from 0 to 65535".
std::string_view type_name(const Key& key);
std::string allowed_values(const Key& key);

}  // namespace host::config
