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
  // `what` begins a listing, `first` is its first page.
  S3Dir(Shared& shared, std::shared_ptr<S3Client> client, S3Client::Listing what, ListPage first, Owner owner)
      : shared_(shared), client_(std::move(client)), what_(std::move(what)), owner_(owner) {
    take(std::move(first));
  }

  Outcome<bool> next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink);

 private:
  void take(ListPage page);
  void ask_for_times(const Stop& stop);

  Shared& shared_;
  const std::shared_ptr<S3Client> client_;
  S3Client::Listing what_;
  ListPage page_;
  std::size_t at_ = 0;     // in the page
  std::size_t timed_ = 0;  // up to here entries have the times of their metadata
  const Owner owner_;
};

}  // namespace fs_s3
