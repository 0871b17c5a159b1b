// SPDX-License-Identifier: Apache-2.0
//
// Lines as ssh-keygen writes them, with its fingerprints, and what is no key.
#include "host/users/public_key.h"

#include <gtest/gtest.h>

#include "host/users/base64.h"

using namespace host::users;

namespace {

constexpr char kEd25519[] = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDGG2iyaemx6kvtDkar8GQ5x/qfzHJINM1FsNt3zytNk";
constexpr char kEcdsa[] =
    "ecdsa-sha2-nistp256 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBN/Kaq8Sh5PYbdhSod5a/OHzfvoh0g/m3jDjaRA07a1G0fmZfcQ6xL4F3"
    "qcyhOX9s+KNZteQXGedztalVloligc=";
constexpr char kEcdsa521[] =
    "ecdsa-sha2-nistp521 "
    "AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBADfeIGYXNUgMgyV4eFB7xl0UjqFMWA0Xh9kZ1raSqmWC+i7OEjtkRcwO"
    "1apd60gzUgz0wG1slHldwQSyxFzUPPj0gC1tBUDprwr1XK8DmJSVarABsq3so1PLhH5C6Axmr183P5aElrAOOjlM3ItXapok61e1kVftu/"
    "euIRhkibxuJNecg==";
constexpr char kRsa[] =
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABgQCzcLEeDtuZ+MoZX5zoOENPYkMYKHi81zMzLquNuUuJOp3pcvsutno6XGV0nWIQBgewX+Vtk+"
    "BdRdaTvVorffJ1mXAvcl"
    "UWj2CQB6eTDqbmpxfXTpfkaeStBvV/"
    "nQqjainontfAtc7G3wf3UtHimdWi6BYNydIz1M8ELza9HypaDPg6rW8cBoQCUSOzqDF4kQ0gDUGNvrTledMwcTtnakSyw6yyKcap"
    "UTwn21hOPshs2rB/gwkWeTW7FQTkenQlp9Aw3ac4FwgrJU5J7sFCW8LsrKRlj7glnRduzDWsHyl8gUs6aYPc5xpOrS/"
    "1w5NSOhtTkpombp8hv0KLkvjts1rLRsa6eMWkyk"
    "yJ0SxGBNrUUR4On6QnYKLGOHbvdXoLtRIHkGCSIU3dGpwzdvvQTBavZni6bk7HK2XBJDzqlFZSdIMUzpuDsp1mFAk7DQ+"
    "CZcdqV09iGLja0cbstZmiuRtd5YyXXq/p9ZZG"
    "NVnRL9RQeIpT70FY+Sfhxp73aQK3UWc=";

std::string fingerprint(const std::string& line) {
  auto key = parse_public_key(line);
  return key ? key_fingerprint(key->blob) : "none";
}

TEST(PublicKey, FingerprintsEqualSshKeygens) {
  EXPECT_EQ(fingerprint(kEd25519), "SHA256:0Z8RdmmDP3dYuA9WCf0Dk4eKMLcB+/KsOJStWU+9ciE");
  EXPECT_EQ(fingerprint(kRsa), "SHA256:Sw2zhHvsVE1aIB1ZXjGmYYGRv2HQxEPRBvwAwzG9e/0");
  EXPECT_EQ(fingerprint(kEcdsa), "SHA256:eCOiGMVzt4+LeMw9jXUJX/uFtqnquecH0nRenMYT5ac");
  EXPECT_NE(fingerprint(kEcdsa521), "none");
}

TEST(PublicKey, CommentsAndOptions) {
  auto key = parse_public_key(std::string("  ") + kEd25519 + "  ada@host and more \r\n");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->type, "ssh-ed25519");
  EXPECT_EQ(key->comment, "ada@host and more");
  EXPECT_EQ(key->blob.size(), 51U);
  key =
      parse_public_key(std::string(R"(from="10.0.0.0/8",command="echo \"ssh-rsa AAAA\" x",no-pty )") + kEd25519 + " c");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->comment, "c");
}

TEST(PublicKey, RefusesWhatIsNoKey) {
  const std::string ed(kEd25519);
  const std::string blob = *decode_base64(ed.substr(ed.find(' ') + 1), Padding::kRequired);
  const auto line = [](const std::string& type, const std::string& bytes) {
    return type + " " + encode_base64(bytes, Padding::kRequired);
  };
  ASSERT_TRUE(parse_public_key(line("ssh-ed25519", blob)));
  for (const auto& text :
       {std::string(), std::string("# comment"), std::string("ssh-ed25519"), std::string("ssh-ed25519 !!!"),
        line("ssh-ed25519", blob + "x"), line("ssh-ed25519", blob.substr(0, 50)), line("ssh-rsa", blob),
        line("ssh-ed25519", ""), line("ssh-ed25519", std::string("\xff\xff\xff\xff", 4)),
        "x " + line("ssh-unknown", blob), ed + "\n" + ed,
        std::string("ssh-ed25519-cert-v01@openssh.com ") + ed.substr(ed.find(' ') + 1)}) {
    EXPECT_FALSE(parse_public_key(text)) << text;
  }
}

TEST(Base64, StrictBothWays) {
  for (const auto* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    for (const auto padding : {Padding::kNone, Padding::kRequired}) {
      EXPECT_EQ(decode_base64(encode_base64(text, padding), padding), text);
    }
  }
  EXPECT_EQ(encode_base64("foob", Padding::kRequired), "Zm9vYg==");
  EXPECT_EQ(encode_base64("foob", Padding::kNone), "Zm9vYg");
  for (const auto* text : {"Zm9vYg", "Zm9vYg=", "Zm9vYg===", "Zm9v Yg==", "Zm9vYh==", "====", "Z==="})
    EXPECT_FALSE(decode_base64(text, Padding::kRequired)) << text;
  for (const auto* text : {"Zm9vYg==", "Z", "Zm9vYh", "Zm-v"})
    EXPECT_FALSE(decode_base64(text, Padding::kNone)) << text;
}

}  // namespace
