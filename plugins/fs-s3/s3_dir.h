// SPDX-License-Identifier: Apache-2.0
//
// An open directory: one page of a listing at a time.
#pragma once

#include <memory>
#include <sallyport/cpp/storage.hpp>
#include <string>

#include "attrs.h"
#include "s3_client.h"

namespace fs_s3 {

struct Shared;

class S3Dir final : public sallyport::Dir<S3Dir> {
 public:
  // `first` is the first page of the listing of `prefix`.
  S3Dir(Shared& shared, std::shared_ptr<S3Client> client, std::string prefix, ListPage first, Owner owner)
      : shared_(shared),
        client_(std::move(client)),
        prefix_(std::move(prefix)),
        page_(std::move(first)),
        owner_(owner) {}

  Outcome<bool> next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink);

 private:
  Shared& shared_;
  const std::shared_ptr<S3Client> client_;
  const std::string prefix_;
  ListPage page_;
  std::size_t at_ = 0;  // in the page
  const Owner owner_;
};

}  // namespace fs_s3
