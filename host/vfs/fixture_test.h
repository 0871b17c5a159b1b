// SPDX-License-Identifier: Apache-2.0
//
// A user with a session over the fake storage, and the log lines that come out.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/core/log.h"
#include "host/vfs/context.h"
#include "host/vfs/fake_storage_test.h"

namespace host::vfs::testing {

inline core::VirtualPath path(std::string_view text) { return core::VirtualPath::clean(text); }

inline Identity identity_with(const std::map<std::string, std::uint32_t>& permissions) {
  Identity identity;
  identity.user.username = "alice";
  for (const auto& [where, rights] : permissions) identity.user.permissions[path(where)] = rights;
  identity.connection_id = "c0ffee";
  identity.activity = std::make_shared<Activity>();
  return identity;
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vfs_test_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    EXPECT_TRUE(core::log::open({.path = log_file()}));
    login(users::kAll);
  }
  ~SessionTest() override {
    session_.reset();
    core::log::close();
    std::filesystem::remove_all(directory_);
  }

  void login(std::uint32_t rights, const Options& options = {}) { login({{"/", rights}}, options); }
  void login(const std::map<std::string, std::uint32_t>& permissions, const Options& options = {}) {
    session_.reset();
    std::vector<Mount> mounts;
    mounts.push_back({core::VirtualPath(), mount_fake(disk_)});
    session_ = make_session_fs(std::move(mounts), identity_with(permissions), options);
  }

  void login_filtered(std::vector<users::ExtensionFilter> filters) {
    session_.reset();
    std::vector<Mount> mounts;
    mounts.push_back({core::VirtualPath(), mount_fake(disk_)});
    auto identity = identity_with({{"/", users::kAll}});
    identity.user.filters.file_extensions = std::move(filters);
    session_ = make_session_fs(std::move(mounts), std::move(identity), {});
  }

  // Every line so far; the log is closed by it.
  std::vector<nlohmann::json> log_lines() {
    core::log::close();
    std::ifstream in(log_file());
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  std::string log_file() const { return directory_ / "log"; }

  std::filesystem::path directory_;
  FakeDisk disk_;
  std::shared_ptr<SessionFs> session_;
};

inline constexpr OpenRequest kPut{.write = true, .create = true, .truncate = true};
inline constexpr OpenRequest kGet{.read = true};

class TransferTest : public SessionTest {
 protected:
  std::unique_ptr<OpenFile> open(std::string_view text, const OpenRequest& request) {
    auto file = session_->open(path(text), request);
    EXPECT_TRUE(file) << file.error().message();
    return file ? *std::move(file) : nullptr;
  }
  static std::string read(OpenFile& file, std::uint64_t offset = 0) {
    std::array<std::byte, 64> room{};
    const auto got = file.read_at(room, offset);
    return got ? std::string(reinterpret_cast<const char*>(room.data()), *got) : "?";
  }
};

template <class T>
core::Status status_of(const core::Result<T>& result) {
  return result ? core::Status::kOk : result.error().status;
}

inline std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

}  // namespace host::vfs::testing
