// SPDX-License-Identifier: Apache-2.0
//
// Certificate and key of the server, which can be replaced while it runs: connections that exist keep theirs.
#pragma once

#include <Poco/Net/Context.h>
#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <sallyport/cpp/base.hpp>
#include <string>

namespace admin_http {

class Tls {
 public:
  Tls(std::string certificate_file, std::string key_file);

  // Reads both files; when it fails, the old pair stays. Any thread.
  sallyport::Outcome<void> load();
  // A context whose handshakes take the pair loaded last. TLS 1.2 and newer.
  Poco::Net::Context::Ptr context();

 private:
  struct Pair;
  static int choose(SSL* connection, void* self);

  const std::string certificate_file_, key_file_;
  std::mutex mutex_;
  std::shared_ptr<const Pair> pair_;  // under mutex_
};

}  // namespace admin_http
