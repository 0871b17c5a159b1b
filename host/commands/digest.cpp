// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL's digests. One thread at a time.
#include "host/commands/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace host::commands {
namespace {

struct Program {
  std::string_view name;
  const EVP_MD* (*digest)();
};

constexpr std::array kPrograms = {
    Program{"md5sum", &EVP_md5},       Program{"sha1sum", &EVP_sha1},     Program{"sha256sum", &EVP_sha256},
    Program{"sha384sum", &EVP_sha384}, Program{"sha512sum", &EVP_sha512},
};

const Program* find(std::string_view name) {
  const auto* found = std::ranges::find(kPrograms, name, &Program::name);
  return found == kPrograms.end() ? nullptr : found;
}

}  // namespace

void Digest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digest::Digest(std::string_view program) {
  const auto* found = find(program);
  if (found == nullptr) return;
  context_.reset(EVP_MD_CTX_new());
  if (context_ && EVP_DigestInit_ex(context_.get(), found->digest(), nullptr) != 1) context_.reset();
}

void Digest::update(std::span<const std::byte> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> sum{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context_.get(), sum.data(), &length);
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < length; ++i) {
    text += kDigits[sum[i] >> 4];
    text += kDigits[sum[i] & 15];
  }
  return text;
}

bool is_digest_program(std::string_view name) { return find(name) != nullptr; }

}  // namespace host::commands
