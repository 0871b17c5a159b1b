// SPDX-License-Identifier: Apache-2.0
//
// scp -t: files come in.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "host/scp/script.h"

namespace host::scp {

class Sink final : public Script {
 public:
  Sink(std::shared_ptr<vfs::SessionFs> fs, Arguments arguments, Hooks hooks)
      : Script(std::move(fs), std::move(arguments), std::move(hooks)) {}

 private:
  using FilePtr = std::unique_ptr<vfs::OpenFile>;
  struct Level {
    core::VirtualPath path;
    std::uint32_t perms = 0;
    std::optional<Times> times;
  };
  enum class Next { kGoOn, kEnd };

  core::Task<int> copy() override;
  core::Task<Next> take_message(std::string message);
  core::Task<Next> enter_directory(Entry entry);
  core::Task<Next> leave_directory();
  core::Task<Next> receive_file(Entry entry);
  core::Task<core::Result<void>> receive_data(vfs::OpenFile& file, std::uint64_t size);
  core::VirtualPath path_of(const std::string& name) const;
  core::Attrs attrs_of(std::uint32_t perms, const std::optional<Times>& times) const;
  Next broken(std::string_view why);

  core::VirtualPath target_;
  bool into_target_ = false;  // what comes goes below the target, not in its place
  std::vector<Level> levels_;
  std::optional<Times> times_;  // of what comes next
};

}  // namespace host::scp
