// SPDX-License-Identifier: Apache-2.0
//
// A notifier plugin as the host sees it: told of events, or asked before something happens. notify and decide block:
// workers only, several at once.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "host/core/result.h"
#include "host/plugin/storage_types.h"

struct sp_notifier;

namespace host::plugin {

class Notifier {
 public:
  Notifier(std::string name, sp_notifier* notifier) : name_(std::move(name)), notifier_(notifier) {}
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  const std::string& name() const { return name_; }
  bool wants(std::string_view kind) const;
  bool decides() const;  // has an opinion on what is about to happen
  core::Result<void> notify(const Op& op, std::string_view event_json);
  core::Result<void> decide(const Op& op, std::string_view event_json);  // kDenied: it must not happen

 private:
  const std::string name_;
  sp_notifier* const notifier_;
};

}  // namespace host::plugin
