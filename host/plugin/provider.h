// SPDX-License-Identifier: Apache-2.0
//
// The data provider as the host sees it: records are JSON texts by collection and key. Every call may block.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/result.h"

struct sp_provider;

namespace host::plugin {

class Provider {
 public:
  Provider(std::string name, sp_provider* provider) : name_(std::move(name)), provider_(provider) {}
  ~Provider();
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;

  enum class Prepare { kOpen, kCreate, kLook };
  enum class Put { kInsert, kUpdate };
  using Delta = std::pair<std::string_view, std::int64_t>;
  using Take = std::function<core::Result<void>(std::string_view record_json)>;

  const std::string& name() const { return name_; }
  // True when something was created or migrated; kLook changes nothing and tells whether kOpen would migrate.
  core::Result<bool> prepare(const std::string& collections_json, Prepare mode);
  core::Result<void> check();
  core::Result<std::string> get(std::string_view collection, std::string_view key);
  core::Result<void> put(std::string_view collection, std::string_view key, Put mode, std::string_view record_json);
  core::Result<void> remove(std::string_view collection, std::string_view key);
  core::Result<void> list(std::string_view query_json, const Take& take);
  core::Result<void> add(std::string_view collection, std::string_view key, const std::vector<Delta>& deltas);
  core::Result<void> reload();  // kUnsupported: it has nothing to reload

 private:
  std::string name_;
  sp_provider* provider_;
};

}  // namespace host::plugin
