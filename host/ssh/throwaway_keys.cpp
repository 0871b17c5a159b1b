// SPDX-License-Identifier: Apache-2.0
//
// Makes keys and hands them to libssh as they are: no file ever holds them. Start-up only.
#include "host/ssh/throwaway_keys.h"

#include <array>
#include <string>

#include "host/ssh/handles.h"

namespace host::ssh {
namespace {

using core::Error;
using core::Result;
using core::Status;

Error unmade() { return {Status::kInternal, "cannot make a host key for this run"}; }

Result<PublicHostKey> describe_key(ssh_key key) {
  char* base64 = nullptr;
  if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK) return unmade();
  const CharPtr blob(base64);
  unsigned char* hash = nullptr;
  std::size_t length = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) != 0) return unmade();
  const CharPtr fingerprint(ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length));
  ssh_clean_pubkey_hash(&hash);
  return PublicHostKey{ssh_key_type_to_char(ssh_key_type(key)), blob.get(), fingerprint.get()};
}

}  // namespace

Result<std::vector<PublicHostKey>> add_throwaway_keys(ssh_bind bind) {
  struct Kind {
    ssh_keytypes_e type;
    int bits;
  };
  constexpr std::array<Kind, 2> kKinds = {{{SSH_KEYTYPE_ED25519, 0}, {SSH_KEYTYPE_ECDSA_P256, 256}}};
  std::vector<PublicHostKey> made;
  for (const auto& kind : kKinds) {
    ssh_key raw = nullptr;
    if (ssh_pki_generate(kind.type, kind.bits, &raw) != SSH_OK) return unmade();
    KeyPtr key(raw);
    auto described = describe_key(key.get());
    if (!described) return described.error();
    if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key.get()) != 0) return unmade();
    (void)key.release();  // libssh's now
    made.push_back(std::move(*described));
  }
  return made;
}

}  // namespace host::ssh
