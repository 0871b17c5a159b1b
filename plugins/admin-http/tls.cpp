// SPDX-License-Identifier: Apache-2.0
//
// OpenSSL asks for the certificate in each handshake (SSL_CTX_set_cert_cb): changing a context that others read at the
// same time is not allowed.
#include "tls.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cstdio>

namespace admin_http {
namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

// A key with a passphrase would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

struct Tls::Pair {
  struct CertificateFree {
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  struct KeyFree {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  struct ChainFree {
    void operator()(STACK_OF(X509) * chain) const { sk_X509_pop_free(chain, X509_free); }
  };
  std::unique_ptr<X509, CertificateFree> certificate;
  std::unique_ptr<STACK_OF(X509), ChainFree> chain;
  std::unique_ptr<EVP_PKEY, KeyFree> key;
};

Tls::Tls(std::string certificate_file, std::string key_file)
    : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

sallyport::Outcome<void> Tls::load() {
  const auto fail = [](const std::string& why) { return sallyport::Failure{SP_E_INVALID, why, 0}; };
  auto pair = std::make_shared<Pair>();
  const File certificates(std::fopen(certificate_file_.c_str(), "re"));
  if (certificates) pair->certificate.reset(PEM_read_X509(certificates.get(), nullptr, no_passphrase, nullptr));
  if (!pair->certificate) return fail("httpd.certificate_file: " + certificate_file_ + " holds no certificate (PEM)");
  pair->chain.reset(sk_X509_new_null());
  while (X509* next = PEM_read_X509(certificates.get(), nullptr, no_passphrase, nullptr)) {
    sk_X509_push(pair->chain.get(), next);
  }
  const File keys(std::fopen(key_file_.c_str(), "re"));
  if (keys) pair->key.reset(PEM_read_PrivateKey(keys.get(), nullptr, no_passphrase, nullptr));
  if (!pair->key)
    return fail("httpd.certificate_key_file: " + key_file_ + " holds no private key (PEM, no passphrase)");
  if (X509_check_private_key(pair->certificate.get(), pair->key.get()) != 1) {
    return fail("httpd.certificate_key_file: " + key_file_ + " is not the key of " + certificate_file_);
  }
  const std::lock_guard lock(mutex_);
  pair_ = std::move(pair);
  return {};
}

int Tls::choose(SSL* connection, void* self) {
  auto& tls = *static_cast<Tls*>(self);
  std::shared_ptr<const Pair> pair;
  {
    const std::lock_guard lock(tls.mutex_);
    pair = tls.pair_;
  }
  return SSL_use_cert_and_key(connection, pair->certificate.get(), pair->key.get(), pair->chain.get(), 1);
}

Poco::Net::Context::Ptr Tls::context() {
  using Poco::Net::Context;
  Context::Ptr made = new Context(Context::TLS_SERVER_USE, "", Context::VERIFY_NONE, 9, false, "HIGH:!aNULL:!MD5");
  made->requireMinimumProtocol(Context::PROTO_TLSV1_2);
  SSL_CTX_set_cert_cb(made->sslContext(), &Tls::choose, this);
  return made;
}

}  // namespace admin_http
