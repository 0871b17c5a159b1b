// SPDX-License-Identifier: Apache-2.0
//
// Checks on a plugin file that need not load it. They guard against accidents; a plugin has all rights of the host
// anyway. Runs on the thread that loads. Must not know the plugin's contents beyond the ELF headers.
#include "host/plugin/library_file.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <fstream>
#include <memory>
#include <system_error>

#if __has_include(<elf.h>)
#include <elf.h>
#include <link.h>
#endif

namespace host::plugin {

namespace fs = std::filesystem;
using core::Error;
using core::Result;
using core::Status;

namespace {

constexpr std::size_t kSha256HexBytes = 64;

bool others_may_write(const fs::file_status& status) {
  return (status.permissions() & fs::perms::others_write) != fs::perms::none;
}

Result<std::string> sha256_hex(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (!in || context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
    return Error(Status::kIo, "found a file that cannot be read to compute its SHA-256");
  }
  std::array<char, 64 * 1024> buffer;
  while (in.read(buffer.data(), buffer.size()), in.gcount() > 0) {
    EVP_DigestUpdate(context.get(), buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned length = 0;
  if (in.bad() || EVP_DigestFinal_ex(context.get(), digest.data(), &length) != 1) {
    return Error(Status::kIo, "reading it to compute its SHA-256 failed");
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (unsigned i = 0; i < length; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace

Result<void> check_permissions(const fs::path& file) {
  std::error_code ec;
  const auto status = fs::status(file, ec);
  if (!fs::exists(status)) return Error(Status::kNotFound, "no such file");
  if (!fs::is_regular_file(status)) return Error(Status::kInvalid, "found no regular file, wanted a shared library");
  if (others_may_write(status)) {
    return Error(Status::kDenied,
                 "found a file that everybody may write, wanted one that only its owner changes (chmod o-w)");
  }
  const auto directory = fs::status(file.parent_path(), ec);
  if (others_may_write(directory) && (directory.permissions() & fs::perms::sticky_bit) == fs::perms::none) {
    return Error(
        Status::kDenied,
        "found it in a directory that everybody may write, wanted one that only its owner changes (chmod o-w)");
  }
  return core::ok();
}

#if __has_include(<elf.h>)
Result<void> check_complete(const fs::path& file) {
  const Error no_library(Status::kInvalid, "found a file that is no shared library, wanted one for this machine");
  std::error_code ec;
  const auto size = fs::file_size(file, ec);
  std::ifstream in(file, std::ios::binary);
  ElfW(Ehdr) header{};
  constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;
  if (ec || !in.read(reinterpret_cast<char*>(&header), sizeof header)) return no_library;
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != kClass) return no_library;
  if (header.e_type != ET_DYN || header.e_phentsize != sizeof(ElfW(Phdr))) return no_library;
  in.seekg(static_cast<std::streamoff>(header.e_phoff));
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    ElfW(Phdr) part{};
    const bool there = static_cast<bool>(in.read(reinterpret_cast<char*>(&part), sizeof part));
    if (!there || part.p_offset > size || part.p_filesz > size - part.p_offset) {
      return Error(Status::kInvalid,
                   "found a shared library that is cut short (" + std::to_string(size) + " bytes), wanted a whole one");
    }
  }
  return core::ok();
}
#else
Result<void> check_complete(const fs::path&) { return core::ok(); }  // the loaders of other systems check it themselves
#endif

Result<void> check_sha256(const fs::path& file, std::string_view wanted_hex) {
  std::string wanted(wanted_hex);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (wanted.size() != kSha256HexBytes || wanted.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return Error(Status::kInvalid,
                 "found the SHA-256 pin \"" + wanted.substr(0, kSha256HexBytes) + "\", wanted 64 hexadecimal digits");
  }
  auto have = sha256_hex(file);
  if (!have) return have.error();
  if (*have == wanted) return core::ok();
  return Error(Status::kDenied, "found SHA-256 " + *have + ", wanted " + wanted + " as pinned");
}

}  // namespace host::plugin
