// SPDX-License-Identifier: Apache-2.0
//
// For unit tests: a mount of a fresh temporary home. Every test that uses Mounted runs twice, with paths resolved by
// the kernel and by hand.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "test_client.h"

namespace fs_local::test {

// umask 0 as in the host, and a directory of its own per test, removed at the end.
class Scratch {
 public:
  Scratch() : umask_(::umask(0)) {
    std::string name = (disk::temp_directory_path() / "fs-local-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Scratch() {
    std::error_code ignored;
    disk::remove_all(path_, ignored);
    ::umask(umask_);
  }
  const disk::path& path() const { return path_; }

 private:
  mode_t umask_;
  disk::path path_;
};

inline void put(const disk::path& path, std::string_view data) { std::ofstream(path, std::ios::binary) << data; }
inline std::string get(const disk::path& path) {
  std::ostringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  return all.str();
}
inline bool root() { return ::geteuid() == 0; }

// Below a scratch directory: the home "u", and beside it what must stay unreachable.
class Mounted : public testing::TestWithParam<bool> {
 protected:
  Mounted() : home(scratch.path() / "u"), outside(scratch.path() / "u2") {
    disk::create_directory(home);
    disk::create_directory(outside);
    put(outside / "secret", "secret");
    client = std::make_unique<Client>(home, GetParam());
    EXPECT_EQ(SP_OK, client->mounted) << client->error.message;
  }
  Client& c() { return *client; }

  Scratch scratch;
  const disk::path home, outside;
  std::unique_ptr<Client> client;
};

inline std::string resolver_name(const testing::TestParamInfo<bool>& info) { return info.param ? "kernel" : "by_hand"; }

// Both ways of resolving paths, for every test of the suite.
#define FS_LOCAL_BOTH_WAYS(SUITE) \
  INSTANTIATE_TEST_SUITE_P(Paths, SUITE, testing::Bool(), ::fs_local::test::resolver_name)

}  // namespace fs_local::test
