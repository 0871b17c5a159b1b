// SPDX-License-Identifier: Apache-2.0
//
// Each name is offered to libssh alone first: given a whole list it silently drops what it does not know. [setup]
#include "host/ssh/algorithms.h"

#include <string_view>

namespace host::ssh {
namespace {

using Names = std::vector<std::string>;

std::string join(const Names& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

core::Result<void> set_list(ssh_bind bind, std::string_view key, const Names& names,
                            std::initializer_list<ssh_bind_options_e> options) {
  for (const auto option : options) {
    for (const auto& name : names) {
      if (name.find(',') == std::string::npos && ssh_bind_options_set(bind, option, name.c_str()) == 0) continue;
      return core::Error(core::Status::kInvalid,
                         "sftpd." + std::string(key) + ": \"" + name + "\" is not an algorithm this server can offer");
    }
    if (ssh_bind_options_set(bind, option, join(names).c_str()) != 0) {
      return core::Error(core::Status::kInternal, "sftpd." + std::string(key) + ": " + ssh_get_error(bind));
    }
  }
  return core::ok();
}

}  // namespace

const Names& Algorithms::default_kex() {
  static const Names names = {
      "curve25519-sha256",  "curve25519-sha256@libssh.org",  "ecdh-sha2-nistp256",           "ecdh-sha2-nistp384",
      "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group14-sha256"};
  return names;
}

const Names& Algorithms::default_ciphers() {
  static const Names names = {"aes128-gcm@openssh.com",
                              "aes256-gcm@openssh.com",
                              "chacha20-poly1305@openssh.com",
                              "aes256-ctr",
                              "aes192-ctr",
                              "aes128-ctr"};
  return names;
}

const Names& Algorithms::default_macs() {
  static const Names names = {"hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256",
                              "hmac-sha2-512"};
  return names;
}

const Names& Algorithms::host_key_types() {
  static const Names names = {"ssh-ed25519",         "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                              "ecdsa-sha2-nistp521", "rsa-sha2-512",        "rsa-sha2-256"};
  return names;
}

const Names& Algorithms::user_key_types() {
  static const Names names = {
      "ssh-ed25519",         "sk-ssh-ed25519@openssh.com",         "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
      "ecdsa-sha2-nistp521", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512",        "rsa-sha2-256"};
  return names;
}

core::Result<void> apply(const Algorithms& algorithms, ssh_bind bind) {
  const auto& kex = algorithms.kex.empty() ? Algorithms::default_kex() : algorithms.kex;
  const auto& ciphers = algorithms.ciphers.empty() ? Algorithms::default_ciphers() : algorithms.ciphers;
  const auto& macs = algorithms.macs.empty() ? Algorithms::default_macs() : algorithms.macs;
  if (auto r = set_list(bind, "kex_algorithms", kex, {SSH_BIND_OPTIONS_KEY_EXCHANGE}); !r) return r;
  if (auto r = set_list(bind, "ciphers", ciphers, {SSH_BIND_OPTIONS_CIPHERS_C_S, SSH_BIND_OPTIONS_CIPHERS_S_C}); !r)
    return r;
  if (auto r = set_list(bind, "host key types", Algorithms::host_key_types(), {SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS});
      !r)
    return r;
  if (auto r = set_list(bind, "macs", macs, {SSH_BIND_OPTIONS_HMAC_C_S, SSH_BIND_OPTIONS_HMAC_S_C}); !r) return r;
  return set_list(bind, "user key types", Algorithms::user_key_types(), {SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES});
}

}  // namespace host::ssh
