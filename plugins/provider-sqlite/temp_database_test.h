// SPDX-License-Identifier: Apache-2.0
//
// Where tests keep their databases, and settings for one.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "provider-common/testing/rig.h"

namespace provider_sqlite::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sqlite-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string file(const char* name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline provider_common::testing::Json at(const std::string& path) { return {{"name", path}, {"pool_size", 4}}; }

}  // namespace provider_sqlite::test
