// SPDX-License-Identifier: Apache-2.0
//
// scp -f: files go out.
#pragma once

#include <string>
#include <vector>

#include "host/scp/script.h"

namespace host::scp {

class Source final : public Script {
 public:
  Source(std::shared_ptr<vfs::SessionFs> fs, Arguments arguments, Hooks hooks)
      : Script(std::move(fs), std::move(arguments), std::move(hooks)) {}

 private:
  core::Task<int> copy() override;
  // These give false when the conversation is over.
  core::Task<bool> send(core::VirtualPath path, std::size_t depth);
  core::Task<bool> send_file(core::VirtualPath path, core::Attrs attrs);
  core::Task<bool> send_data(vfs::OpenFile& file, std::uint64_t size, core::Result<void>& outcome);
  core::Task<bool> send_directory(core::VirtualPath path, core::Attrs attrs, std::size_t depth);
  core::Task<bool> send_entries(core::VirtualPath path, std::size_t depth);
  core::Task<bool> send_all(const core::VirtualPath& path, vfs::OpenDir& dir, std::size_t depth);
  // A line that the client has to accept. kRefused: it does not want this file.
  core::Task<Answer> propose(const core::Attrs& attrs, std::string line);
};

}  // namespace host::scp
