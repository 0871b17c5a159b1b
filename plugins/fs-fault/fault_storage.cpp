// SPDX-License-Identifier: Apache-2.0
//
// Reads the settings and mounts. create runs once at start, mount on worker threads.
#include "fault_storage.h"

#include <nlohmann/json.hpp>
#include <vector>

namespace fs_fault {

using sallyport::Failure;
using sallyport::Outcome;

Outcome<std::unique_ptr<FaultStorage>> FaultStorage::create(const sp_host& host, std::string_view config) {
  const auto json = nlohmann::json::parse(config);
  std::vector<Rule> rules;
  for (const auto& text : json.value("faults", nlohmann::json::array())) {
    if (!text.is_string()) return Failure{SP_E_INVALID, "faults: found " + text.dump() + ", allowed are texts", 0};
    auto rule = parse_rule(text.get<std::string>());
    if (!rule) return rule.failure();
    rules.push_back(*rule);
  }
  auto wrapped = make_wrapped(host, json.value("wraps", "fs-local"), json.value("library", ""),
                              json.value("settings", nlohmann::json::object()).dump());
  if (!wrapped) return wrapped.failure();
  return std::make_unique<FaultStorage>(host, Faults(rules), std::move(*wrapped));
}

Outcome<std::unique_ptr<FaultFs>> FaultStorage::mount(const sp_op& op, const sp_mount_args& args) {
  const Trouble trouble(host_, faults_, sallyport::view(args.user));
  if (auto met = trouble.meet(Operation::kMount, op); !met) return met.failure();
  sp_fs* fs = nullptr;
  auto mounted = pass([&](sp_error* error) { return wrapped_->ops->mount(wrapped_.get(), &op, &args, &fs, error); });
  if (!mounted) return mounted.failure();
  return std::make_unique<FaultFs>(fs, trouble);
}

}  // namespace fs_fault
