// SPDX-License-Identifier: Apache-2.0
//
// The server's master keys: secrets of accounts are stored encrypted under the first of them and read under any, so
// that a key can be replaced. They come from the configuration or from a file of their own, which is made when the
// first secret is stored and read again when it changes. Any thread; calls look at the file, so no I/O thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/result.h"
#include "host/users/key_file.h"

namespace host::users {

struct MasterKeyOptions {
  std::string keys;            // 64 hexadecimal digits each, separated by commas; wins over the file
  std::filesystem::path file;  // the same, one a line, and comments with '#'; empty: keys end with the process
  bool make_file = false;      // else it must be there
};

struct MasterKey {
  std::string id;  // of the key, tells nothing about it
  std::string bytes;
};

class MasterKeys {
 public:
  static core::Result<std::unique_ptr<MasterKeys>> open(MasterKeyOptions options);

  // Whose secrets lie under a master key, in words; empty: nobody's. Asked before a key file is made,
  // outside the lock.
  using Sealed = std::function<core::Result<std::string>()>;
  void ask_before_making(Sealed sealed) { sealed_ = std::move(sealed); }  // before other threads come

  // What new secrets are encrypted under; made when there is none yet and nothing is encrypted.
  core::Result<MasterKey> current();
  core::Result<std::optional<MasterKey>> find(std::string_view id);
  // Where they come from, for messages.
  std::string source() const;
  // What helps where a key is missing, as the end of a message; empty where nothing does.
  std::string advice() const;

  // A new key in the form of the file.
  static std::string random_text();

 private:
  explicit MasterKeys(MasterKeyOptions options);
  core::Result<void> refresh();
  core::Result<std::vector<MasterKey>> read() const;
  core::Result<void> make_file(const std::string& whose) const;  // secrets are sealed, in words

  const MasterKeyOptions options_;
  Sealed sealed_;
  std::mutex mutex_;
  std::vector<MasterKey> keys_;  // under mutex_
  FileStamp stamp_;              // under mutex_
};

}  // namespace host::users
