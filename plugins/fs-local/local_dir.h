// SPDX-License-Identifier: Apache-2.0
//
// One directory being listed, in memory that does not grow with it. Calls come one at a time.
#pragma once

#include <dirent.h>

#include <memory>
#include <optional>
#include <sallyport/cpp/storage.hpp>
#include <string>

namespace fs_local {

class LocalDir final : public sallyport::Dir<LocalDir> {
 public:
  struct Closer {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  using Stream = std::unique_ptr<DIR, Closer>;

  LocalDir(Stream stream, std::string path) : stream_(std::move(stream)), path_(std::move(path)) {}

  // True when nothing is left.
  sallyport::Outcome<bool> next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink);

 private:
  bool attrs_of_entry(const dirent& entry, sp_attrs& attrs) const;

  Stream stream_;
  const std::string path_;  // for the log
  // The entry the sink had no room for. readdir keeps it valid until it is called again.
  const dirent* kept_ = nullptr;
};

}  // namespace fs_local
