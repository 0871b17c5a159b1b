// SPDX-License-Identifier: Apache-2.0
//
// An open directory: what the storage lists, with the folders mounted there in the place of what they hide. One thread
// at a time.
#pragma once

#include <memory>
#include <vector>

#include "host/vfs/context.h"

namespace host::vfs {

class Listing final : public OpenDir {
 public:
  Listing(std::shared_ptr<const Context> context, const core::VirtualPath& directory, Place place,
          std::unique_ptr<plugin::Dir> dir);

  core::WorkerPool& pool() override { return place_.fs->pool(); }
  Result<bool> next(std::uint32_t max, const Take& take) override;

 private:
  bool hides(std::string_view name) const;
  Attrs attrs_of(const Mount& folder) const;

  const std::shared_ptr<const Context> context_;  // outlives dir_
  const Place place_;
  const std::unique_ptr<plugin::Dir> dir_;
  std::vector<const Mount*> folders_;  // mounted here, and not offered yet
  std::size_t offered_ = 0;
};

}  // namespace host::vfs
