// SPDX-License-Identifier: Apache-2.0
//
// Keys are written under a temporary name and renamed, so that a start that is killed never leaves half a key. [setup]
#include "host/ssh/host_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "host/core/log.h"
#include "host/ssh/handles.h"

namespace host::ssh {
namespace {

using core::Error;
using core::Result;
using core::Status;
using std::filesystem::path;

struct Kind {
  const char* file;
  ssh_keytypes_e type;
  int bits;
};
constexpr std::array<Kind, 3> kKinds = {{{"id_rsa", SSH_KEYTYPE_RSA, 4096},
                                         {"id_ecdsa", SSH_KEYTYPE_ECDSA_P256, 256},
                                         {"id_ed25519", SSH_KEYTYPE_ED25519, 0}}};

Error os_error(const std::string& what, const path& file) {
  const int code = errno;
  return {Status::kIo, what + " " + file.string() + ": " + std::strerror(code), code};
}

Result<void> write_private(const path& file, const std::string& text) {
  const path temporary = file.string() + ".new";
  ::unlink(temporary.c_str());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return os_error("cannot create host key", temporary);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  auto unwritten = os_error("cannot write host key", temporary);
  if (::close(fd) != 0 || !written) return unwritten;
  if (::rename(temporary.c_str(), file.c_str()) != 0) return os_error("cannot rename host key to", file);
  return core::ok();
}

Result<void> generate(const Kind& kind, const path& file) {
  ssh_key raw = nullptr;
  if (ssh_pki_generate(kind.type, kind.bits, &raw) != SSH_OK) {
    return Error(Status::kInternal, std::string("cannot generate host key ") + kind.file);
  }
  const KeyPtr key(raw);
  char* text = nullptr;
  if (ssh_pki_export_privkey_base64(key.get(), nullptr, nullptr, nullptr, &text) != SSH_OK) {
    return Error(Status::kInternal, std::string("cannot encode host key ") + kind.file);
  }
  const CharPtr pem(text);
  if (ssh_pki_export_pubkey_base64(key.get(), &text) != SSH_OK) {
    return Error(Status::kInternal, std::string("cannot encode host key ") + kind.file);
  }
  const CharPtr base64(text);
  const auto line = std::string(ssh_key_type_to_char(ssh_key_type(key.get()))) + " " + base64.get() + "\n";
  if (auto r = write_private(file.string() + ".pub", line); !r) return r;
  if (auto r = write_private(file, pem.get()); !r) return r;
  core::log::info("sftpd", "", "host key generated: " + file.string());
  return core::ok();
}

Result<KeyPtr> load(const path& file) {
  ssh_key raw = nullptr;
  if (ssh_pki_import_privkey_file(file.c_str(), nullptr, nullptr, nullptr, &raw) != SSH_OK) {
    return Error(Status::kInvalid, "host key " + file.string() +
                                       " cannot be read: it must exist, be readable and be an unencrypted private key");
  }
  return KeyPtr(raw);
}

// The replaced system took such keys, so they are no reason not to start.
void warn_if_shared(const path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0 || (info.st_mode & 077) == 0) return;
  core::log::warn(
      "sftpd", "",
      "host key " + file.string() + " can be read by others: chmod 600 it, or replace it if it may be known");
}

// All kinds in their order when none is configured.
std::vector<path> key_files(const path& dir, const std::vector<std::string>& configured) {
  std::vector<path> files;
  for (const auto& name : configured) files.push_back(path(name).is_absolute() ? path(name) : dir / name);
  if (!configured.empty()) return files;
  for (const auto& kind : kKinds) files.push_back(dir / kind.file);
  return files;
}

bool is_there(const path& file) {
  std::error_code error;
  return std::filesystem::exists(file, error);
}

}  // namespace

Result<std::vector<path>> ensure_host_keys(const path& dir, const std::vector<std::string>& configured) {
  const auto files = key_files(dir, configured);
  if (configured.empty()) {
    for (std::size_t i = 0; i < kKinds.size(); ++i) {
      if (is_there(files[i])) continue;
      if (auto r = generate(kKinds[i], files[i]); !r) return r.error();
    }
  }
  for (const auto& file : files) {
    if (auto key = load(file); !key) return key.error();
    warn_if_shared(file);
  }
  return files;
}

Result<void> check_host_keys(const path& dir, const std::vector<std::string>& configured) {
  for (const auto& file : key_files(dir, configured)) {
    if (configured.empty() && !is_there(file)) {
      if (::faccessat(AT_FDCWD, dir.c_str(), W_OK | X_OK, AT_EACCESS) != 0)
        return os_error("cannot create host key", file);
      continue;
    }
    if (auto key = load(file); !key) return key.error();
  }
  return core::ok();
}

Result<std::string> fingerprint(const path& private_key) {
  auto key = load(private_key);
  if (!key) return key.error();
  unsigned char* hash = nullptr;
  std::size_t length = 0;
  if (ssh_get_publickey_hash(key->get(), SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0) {
    return Error(Status::kInternal, "no fingerprint for " + private_key.string());
  }
  const CharPtr text(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length));
  ssh_clean_pubkey_hash(&hash);
  return std::string(text.get());
}

}  // namespace host::ssh
