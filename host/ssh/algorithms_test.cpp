// SPDX-License-Identifier: Apache-2.0
#include "host/ssh/algorithms.h"

#include <gtest/gtest.h>

#include "host/ssh/handles.h"

namespace host::ssh {
namespace {

TEST(Algorithms, DefaultsAreAllKnownToTheLibrary) {
  const BindPtr bind(ssh_bind_new());
  EXPECT_TRUE(apply({}, bind.get()));
}

TEST(Algorithms, UnknownNameIsNamedWithItsKey) {
  const BindPtr bind(ssh_bind_new());
  const auto result = apply({.kex = {"curve25519-sha256", "rot13"}, .ciphers = {}, .macs = {}}, bind.get());
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().text.find("sftpd.kex_algorithms"), std::string::npos);
  EXPECT_NE(result.error().text.find("rot13"), std::string::npos);
}

TEST(Algorithms, NothingWeakIsADefault) {
  for (const auto* list : {&Algorithms::default_kex(), &Algorithms::default_ciphers(), &Algorithms::default_macs(),
                           &Algorithms::host_key_types(), &Algorithms::user_key_types()}) {
    for (const auto& name : *list) {
      EXPECT_EQ(name.find("sha1"), std::string::npos) << name;
      EXPECT_EQ(name.find("cbc"), std::string::npos) << name;
      EXPECT_NE(name, "ssh-rsa");
      EXPECT_NE(name, "ssh-dss");
    }
  }
}

}  // namespace
}  // namespace host::ssh
