// SPDX-License-Identifier: Apache-2.0
//
// Denied endings win over allowed ones; a list of allowed ones denies every other name. Any thread.
#include "host/vfs/name_filter.h"

#include <algorithm>

namespace host::vfs {
namespace {

using core::VirtualPath;

// ASCII only: what other bytes of a name mean is not known.
std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

std::vector<std::string> lower(const std::vector<std::string>& endings) {
  std::vector<std::string> result;
  result.reserve(endings.size());
  for (const auto& ending : endings) result.push_back(lower(ending));
  return result;
}

bool ends_with_any(const std::string& path, const std::vector<std::string>& endings) {
  return std::ranges::any_of(endings, [&](const std::string& ending) { return path.ends_with(ending); });
}

}  // namespace

NameFilter::NameFilter(const users::User& user) {
  for (const auto& filter : user.filters.file_extensions) {
    rules_.push_back(
        {VirtualPath::clean(filter.path), lower(filter.allowed_extensions), lower(filter.denied_extensions)});
  }
}

const NameFilter::Rule* NameFilter::governing(const VirtualPath& directory) const {
  const Rule* nearest = nullptr;
  for (const auto& rule : rules_) {
    if (!directory.is_within(rule.directory)) continue;
    if (nearest == nullptr || rule.directory.is_within(nearest->directory)) nearest = &rule;
  }
  return nearest;
}

bool NameFilter::allows(const VirtualPath& file) const {
  const Rule* rule = governing(file.parent());
  if (rule == nullptr) return true;
  const std::string path = lower(file.str());
  if (ends_with_any(path, rule->denied)) return false;
  return rule->allowed.empty() || ends_with_any(path, rule->allowed);
}

bool NameFilter::same_for_trees(const VirtualPath& a, const VirtualPath& b) const {
  const bool own_rules = std::ranges::any_of(
      rules_, [&](const Rule& rule) { return rule.directory.is_within(a) || rule.directory.is_within(b); });
  return !own_rules && governing(a) == governing(b);
}

}  // namespace host::vfs
