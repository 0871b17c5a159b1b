// SPDX-License-Identifier: Apache-2.0
//
// Who may come in: a file as htpasswd writes it, read again when it changes. Any thread; checking a password is slow by
// design.
#pragma once

#include <sys/stat.h>

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <sallyport/cpp/base.hpp>
#include <set>
#include <string>
#include <string_view>

namespace admin_http {

class PasswordFile {
 public:
  // Does the password belong to the hash?
  using Check = std::function<bool(std::string_view hash, std::string_view password)>;

  PasswordFile(std::string path, Check check, sallyport::Log log);

  // For the start: must succeed.
  sallyport::Outcome<void> read();
  // Reads the file again first when it has changed. A file that cannot be read lets nobody in.
  bool allows(const std::string& user, const std::string& password);

 private:
  using Users = std::map<std::string, std::string>;
  using Digest = std::array<unsigned char, 32>;
  struct Stamp {
    std::int64_t seconds = 0, nanoseconds = 0, size = -1;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp stamp_of(const struct stat& info);
  sallyport::Outcome<Users> parse() const;
  void refresh();
  Digest digest(const std::string& user, const std::string& password, const std::string& hash) const;

  const std::string path_;
  const Check check_;
  const sallyport::Log log_;
  Digest key_{};  // of digests; random
  std::mutex mutex_;
  Users users_;            // under mutex_
  Stamp stamp_;            // under mutex_
  std::set<Digest> seen_;  // logins that were right, so that not every request pays for a hash; under mutex_
};

}  // namespace admin_http
