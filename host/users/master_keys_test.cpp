// SPDX-License-Identifier: Apache-2.0
#include "host/users/master_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

namespace host::users {
namespace {

using core::Status;
namespace fs = std::filesystem;

const std::string kOne(64, '1'), kTwo(64, '2');

class MasterKeysTest : public ::testing::Test {
 protected:
  MasterKeysTest() {
    std::string pattern = (fs::temp_directory_path() / "keys-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    file_ = directory_ / "master.key";
  }
  ~MasterKeysTest() override { fs::remove_all(directory_); }

  void write(const std::string& text, mode_t mode = 0600) {
    const auto fresh = directory_ / "new";  // as an editor does it
    std::ofstream(fresh) << text;
    ::chmod(fresh.c_str(), mode);
    fs::rename(fresh, file_);
  }
  core::Error refusal(const std::string& text, mode_t mode = 0600) {
    write(text, mode);
    const auto opened = MasterKeys::open({{}, file_, false});
    return opened ? core::Error(Status::kOk) : opened.error();
  }

  fs::path directory_, file_;
};

TEST_F(MasterKeysTest, AFileIsMadeWhenItIsNeeded) {
  auto keys = MasterKeys::open({{}, file_, true}).value();
  EXPECT_FALSE(keys->find("00000000").value());
  EXPECT_FALSE(fs::exists(file_));
  const auto key = keys->current().value();
  EXPECT_EQ(key.bytes.size(), 32U);
  struct stat info {};
  ASSERT_EQ(::stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0600U);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1);
  auto later = MasterKeys::open({{}, file_, true}).value();
  EXPECT_EQ(later->current()->bytes, key.bytes);
  EXPECT_EQ((*later->find(key.id))->bytes, key.bytes);
}

TEST_F(MasterKeysTest, NoneIsMadeWhereOneIsMissing) {
  auto keys = MasterKeys::open({{}, file_, true}).value();
  std::string whose = "2 accounts (ann, eve)";
  keys->ask_before_making([&] { return whose; });
  const auto refused = keys->current();
  ASSERT_FALSE(refused);
  for (const auto& part : {file_.string(), whose, std::string("put its copy back")}) {
    EXPECT_NE(refused.error().text.find(part), std::string::npos) << refused.error().text;
  }
  EXPECT_FALSE(fs::exists(file_));
  whose.clear();
  EXPECT_TRUE(keys->current());
  EXPECT_TRUE(fs::exists(file_));
}

TEST_F(MasterKeysTest, NobodyWaitsForAKeyWhileTheAccountsAreLookedThrough) {
  auto keys = MasterKeys::open({{}, file_, true}).value();
  std::future<bool> other;
  std::size_t asked = 0;
  keys->ask_before_making([&]() -> core::Result<std::string> {
    ++asked;
    other = std::async(std::launch::async, [&] { return static_cast<bool>(keys->find("00000000")); });
    EXPECT_EQ(other.wait_for(std::chrono::seconds(5)), std::future_status::ready);
    write(kOne);  // what another process made meanwhile
    return std::string();
  });
  EXPECT_EQ(keys->current()->bytes, std::string(32, '\x11'));
  EXPECT_TRUE(other.get());
  EXPECT_EQ(asked, 1U);
}

// A server and a command beside it: whoever comes second takes what the first has made.
TEST_F(MasterKeysTest, TwoProcessesAgree) {
  auto one = MasterKeys::open({{}, file_, true}).value(), other = MasterKeys::open({{}, file_, true}).value();
  const auto key = one->current().value();
  EXPECT_EQ(other->current()->bytes, key.bytes);
  EXPECT_TRUE(other->find(key.id).value());
}

TEST_F(MasterKeysTest, TheFirstEncryptsAndAllAreFound) {
  write("# a comment\n\n  " + kTwo + "\r\n" + kOne);
  auto keys = MasterKeys::open({{}, file_, false}).value();
  const auto current = keys->current().value();
  EXPECT_EQ(current.bytes, std::string(32, '\x22'));
  EXPECT_EQ(current.id.size(), 8U);
  auto given = MasterKeys::open({kOne + ", " + kTwo, {}, false}).value();
  EXPECT_EQ(given->current()->bytes, std::string(32, '\x11'));
  EXPECT_EQ((*given->find(current.id))->bytes, current.bytes);
}

TEST_F(MasterKeysTest, ChangesOfTheFileCount) {
  write(kOne + "\n");
  auto keys = MasterKeys::open({{}, file_, false}).value();
  const auto old = keys->current().value();
  write(kTwo + "\n" + kOne + "\n");
  EXPECT_EQ(keys->current()->bytes, std::string(32, '\x22'));
  EXPECT_TRUE(keys->find(old.id).value());
  write("nonsense\n");
  EXPECT_EQ(keys->current()->bytes, std::string(32, '\x22')) << "what was read before stays";
  fs::remove(file_);
  EXPECT_TRUE(keys->find(old.id).value());
}

TEST_F(MasterKeysTest, WhatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0666}) {
    const auto error = refusal(kOne, mode);
    EXPECT_EQ(error.status, Status::kDenied) << mode;
    EXPECT_NE(error.text.find("chmod 600"), std::string::npos) << error.text;
    EXPECT_EQ(error.text.find("data_provider.master_key_file: "), 0U) << error.text;
  }
  EXPECT_EQ(refusal(kOne, 0400).status, Status::kOk);
}

TEST_F(MasterKeysTest, MistakesAreNamedByTheirPlace) {
  for (const auto& text : {kOne + "\n" + kTwo.substr(1), kOne + "\n" + kTwo + "0", kOne + "\nx" + kTwo.substr(1)}) {
    const auto error = refusal(text);
    EXPECT_EQ(error.status, Status::kInvalid);
    EXPECT_NE(error.text.find("line 2"), std::string::npos) << error.text;
    EXPECT_EQ(error.text.find("2222"), std::string::npos) << "no part of a key";
  }
  EXPECT_NE(refusal("# nothing\n").text.find("holds no key"), std::string::npos);
  EXPECT_EQ(MasterKeys::open({{}, directory_, false}).error().status, Status::kInvalid);
  EXPECT_EQ(MasterKeys::open({{}, directory_ / "none", false}).error().status, Status::kNotFound);
  EXPECT_NE(MasterKeys::open({kOne + ",12", {}, false}).error().text.find("entry 2"), std::string::npos);
  EXPECT_FALSE(MasterKeys::open({",", {}, false}));
}

TEST_F(MasterKeysTest, WhereNoneCanBeMadeTheReasonIsTold) {
  auto keys = MasterKeys::open({{}, directory_ / "missing/master.key", true}).value();
  EXPECT_NE(keys->current().error().text.find("missing/master.key"), std::string::npos);
}

TEST_F(MasterKeysTest, WithoutAFileTheyEndWithTheProcess) {
  auto keys = MasterKeys::open({}).value();
  const auto key = keys->current().value();
  EXPECT_EQ(keys->current()->bytes, key.bytes);
  EXPECT_TRUE(keys->find(key.id).value());
}

}  // namespace
}  // namespace host::users
