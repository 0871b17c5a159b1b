// SPDX-License-Identifier: Apache-2.0
#include "host/ssh/host_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace host::ssh {
namespace {

class HostKeys : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/sallyport-keys-XXXXXX";
    dir_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  static std::string read(const std::filesystem::path& file) {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  std::filesystem::path dir_;
};

TEST_F(HostKeys, AreMadeOnceAndKept) {
  const auto first = ensure_host_keys(dir_, {});
  ASSERT_TRUE(first) << first.error().text;
  ASSERT_EQ(first->size(), 3U);
  const auto before = read(dir_ / "id_ed25519");
  for (const auto* name : {"id_rsa", "id_ecdsa", "id_ed25519", "id_rsa.pub", "id_ecdsa.pub", "id_ed25519.pub"}) {
    struct stat info {};
    ASSERT_EQ(::stat((dir_ / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
  EXPECT_TRUE(read(dir_ / "id_ecdsa.pub").starts_with("ecdsa-sha2-nistp256 "));
  EXPECT_TRUE(read(dir_ / "id_rsa.pub").starts_with("ssh-rsa "));
  ASSERT_TRUE(ensure_host_keys(dir_, {}));
  EXPECT_EQ(read(dir_ / "id_ed25519"), before);
}

TEST_F(HostKeys, ConfiguredKeyMustBeReadable) {
  std::ofstream(dir_ / "broken") << "not a key";
  const auto result = ensure_host_keys(dir_, {"broken"});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find("broken"), std::string::npos);
  EXPECT_FALSE(ensure_host_keys(dir_, {"missing"}));
}

TEST_F(HostKeys, FingerprintIsSha256) {
  ASSERT_TRUE(ensure_host_keys(dir_, {}));
  const auto text = fingerprint(dir_ / "id_ed25519");
  ASSERT_TRUE(text);
  EXPECT_TRUE(text->starts_with("SHA256:")) << *text;
}

}  // namespace
}  // namespace host::ssh
