// SPDX-License-Identifier: Apache-2.0
//
// Lines `user:hash`, comments with '#'. One line that is neither makes the whole file useless: half of a list of
// administrators is not what anybody meant. Passwords are not kept, only keyed digests of those that were right.
#include "htpasswd.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "http_limits.h"

namespace admin_http {

PasswordFile::PasswordFile(std::string path, Check check, sallyport::Log log)
    : path_(std::move(path)), check_(std::move(check)), log_(std::move(log)) {
  if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1) throw std::runtime_error("no random numbers");
}

PasswordFile::Stamp PasswordFile::stamp_of(const struct stat& info) {
  return {info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size};
}

sallyport::Outcome<PasswordFile::Users> PasswordFile::parse() const {
  const auto fail = [&](const std::string& why) {
    return sallyport::Failure{SP_E_INVALID, "httpd.auth_user_file: " + path_ + " " + why, 0};
  };
  std::ifstream in(path_, std::ios::binary);
  std::string text(limits::kPasswordFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad()) return fail("cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > limits::kPasswordFileBytes) return fail("is too large");
  Users users;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    const auto colon = line.find(':');
    if (colon == 0 || colon == std::string::npos || line.find(':', colon + 1) != std::string::npos) {
      return fail("line " + std::to_string(number) + " is not user:hash");
    }
    users[line.substr(0, colon)] = line.substr(colon + 1);
  }
  if (users.empty()) log_.warn("httpd.auth_user_file: " + path_ + " lists nobody, so nobody is let in");
  return users;
}

sallyport::Outcome<void> PasswordFile::read() {
  const std::lock_guard lock(mutex_);
  struct stat info {};
  if (::stat(path_.c_str(), &info) == 0) stamp_ = stamp_of(info);
  auto users = parse();
  if (!users) return users.failure();
  users_ = std::move(*users);
  return {};
}

// Under mutex_.
void PasswordFile::refresh() {
  struct stat info {};
  const auto now = ::stat(path_.c_str(), &info) == 0 ? stamp_of(info) : Stamp{};
  if (now == stamp_) return;
  stamp_ = now;
  users_.clear();
  seen_.clear();
  auto users = parse();
  if (!users) return log_.error(users.failure().message + "; nobody is let in");
  users_ = std::move(*users);
  log_.info("administrators were read again from " + path_);
}

PasswordFile::Digest PasswordFile::digest(const std::string& user, const std::string& password,
                                          const std::string& hash) const {
  const std::string text = user + '\0' + password + '\0' + hash;
  Digest out{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), out.data(), &length);
  return out;
}

bool PasswordFile::allows(const std::string& user, const std::string& password) {
  std::string hash;
  bool known = false;
  {
    const std::lock_guard lock(mutex_);
    refresh();
    const auto it = users_.find(user);
    known = it != users_.end();
    // A name that is not there costs as much time as one that is.
    if (known || !users_.empty()) hash = known ? it->second : users_.begin()->second;
    if (known && seen_.count(digest(user, password, hash)) != 0) return true;
  }
  if (hash.empty() || !check_(hash, password) || !known) return false;
  const std::lock_guard lock(mutex_);
  const auto it = users_.find(user);
  if (it == users_.end() || it->second != hash) return false;  // changed meanwhile
  if (seen_.size() >= limits::kRememberedLogins) seen_.clear();
  seen_.insert(digest(user, password, hash));
  return true;
}

}  // namespace admin_http
