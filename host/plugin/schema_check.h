// SPDX-License-Identifier: Apache-2.0
//
// Settings of plugins, checked against the schema that the plugin brings along: a subset of JSON Schema
// (docs/plugin-config.md). Immutable once parsed: any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "host/core/result.h"

namespace host::plugin {

using SecretChange = std::function<core::Result<std::string>(std::string_view member, std::string_view text)>;

class Schema {
 public:
  // Refuses text that is no JSON, keywords and types outside the subset, and defaults that break their own rules.
  static core::Result<Schema> parse(std::string_view text);

  // Checks one JSON object and fills in defaults. The error names `where` (a configuration key), the member, what was
  // found and what is allowed; values of writeOnly members never appear in it.
  core::Result<std::string> check(std::string_view settings_json, std::string_view where) const;

  // The same settings with every writeOnly member emptied, or as sealed_text.h shows it. Text that is not an object
  // gives "{}".
  std::string blank_secrets(std::string_view settings_json) const;

  // `changed` with those writeOnly members from `stored` that are empty in it, unless what they go with is empty as
  // well, or are as they were shown. What is not an object stays as it is.
  std::string keep_secrets(std::string_view stored, std::string_view changed) const;

  // The same settings with each writeOnly text, named by its path, replaced by what `change` makes of it. The first
  // failure is the result. What is not an object stays as it is.
  core::Result<std::string> change_secrets(std::string_view settings_json, const SecretChange& change) const;

 private:
  struct Tree;
  explicit Schema(std::shared_ptr<const Tree> tree);
  std::shared_ptr<const Tree> tree_;
};

}  // namespace host::plugin
