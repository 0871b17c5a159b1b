// SPDX-License-Identifier: Apache-2.0
//
// Counts calls and adds up what the rules say about them. Any thread; knows no storage.
#include "faults.h"

#include <algorithm>

namespace fs_fault {

Faults::Faults(const std::vector<Rule>& rules) {
  for (const auto& rule : rules) rules_.push_back(std::make_unique<Counted>(rule));
}

Effect Faults::next(Operation operation) {
  Effect sum;
  for (auto& counted : rules_) {
    const auto& rule = counted->rule;
    if (rule.on && *rule.on != operation) continue;
    if (!rule.which.holds(counted->calls.fetch_add(1) + 1)) continue;
    const auto& effect = rule.effect;
    sum.delay += effect.delay;
    sum.drop = sum.drop || effect.drop;
    if (effect.short_bytes)
      sum.short_bytes = std::min(sum.short_bytes.value_or(*effect.short_bytes), *effect.short_bytes);
    if (sum.error != SP_OK) continue;
    sum.error = effect.error;
    sum.native = effect.native;
  }
  return sum;
}

}  // namespace fs_fault
