// SPDX-License-Identifier: Apache-2.0
//
// One account's part of a bucket as a tree of files. Directories are what keys have in common, and empty objects whose
// keys end with '/'.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "attrs.h"
#include "keys.h"
#include "s3_client.h"
#include "s3_dir.h"
#include "s3_file.h"

namespace fs_s3 {

class S3Fs final : public sallyport::Fs<S3Fs> {
 public:
  S3Fs(Shared& shared, S3File::Memory memory, std::shared_ptr<S3Client> client, Keys keys, Owner owner)
      : shared_(shared),
        memory_(std::move(memory)),
        client_(std::move(client)),
        keys_(std::move(keys)),
        owner_(owner) {}

  sp_fs_caps caps() const;
  Outcome<sp_attrs> stat(const sp_op& op, std::string_view path, std::uint32_t flags);
  Outcome<void> set_attrs(const sp_op& op, std::string_view path, std::uint32_t flags, const sp_attrs& attrs);
  Outcome<std::unique_ptr<S3File>> open(const sp_op& op, std::string_view path, const sp_open_args& args);
  Outcome<std::unique_ptr<S3Dir>> open_dir(const sp_op& op, std::string_view path);
  Outcome<std::unique_ptr<S3Dir>> open_tree(const sp_op& op, std::string_view path);
  Outcome<void> mkdir(const sp_op& op, std::string_view path, const sp_attrs* attrs);
  Outcome<void> remove(const sp_op& op, std::string_view path, std::uint32_t kind);
  Outcome<void> rename(const sp_op& op, std::string_view from, std::string_view to, std::uint32_t flags);
  Outcome<std::string> real_path(std::string_view path);

 private:
  // What a path means; `info` is that of a file.
  enum class Kind { kNothing, kFile, kDir };
  struct Found {
    Kind kind = Kind::kNothing;
    ObjectInfo info;
  };
  bool keeps_times() const;
  Outcome<std::unique_ptr<S3Dir>> open_listing(const sp_op& op, std::string_view path, bool tree);
  Outcome<Found> look(const Stop& stop, std::string_view path);
  Outcome<void> check_parent(const Stop& stop, std::string_view path);
  Outcome<bool> is_empty(const Stop& stop, std::string_view directory);
  Outcome<void> remove_dir(const Stop& stop, std::string_view path);
  Outcome<void> rename_dir(const Stop& stop, std::string_view from, std::string_view to);
  Outcome<void> remove_version(const Stop& stop, const std::string& key, const std::vector<std::string>& etags);
  Outcome<void> rename_file(const Stop& stop, const std::string& from, const std::string& to, const ObjectInfo& what);
  struct Moving;
  Outcome<void> copy_one(const Stop& stop, Moving& key);
  std::string take_copies_back(const Stop& stop, std::vector<Moving>& all);
  Outcome<void> move_all(const Stop& stop, std::vector<Moving>& all, const std::string& names);
  Outcome<std::vector<Listed>> tree(const Stop& stop, const std::string& prefix);

  Shared& shared_;
  const S3File::Memory memory_;
  const std::shared_ptr<S3Client> client_;
  const Keys keys_;
  const Owner owner_;
};

}  // namespace fs_s3
