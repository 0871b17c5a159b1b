// SPDX-License-Identifier: Apache-2.0
//
// Streams a listing. One call at a time.
#include "s3_dir.h"

#include <string_view>
#include <utility>

#include "shared.h"

namespace fs_s3 {
namespace {

// The entry's name within the directory; empty: the directory's own marker, or a key that no path leads to.
std::string_view name_in(std::string_view key, std::string_view prefix, bool is_prefix) {
  key.remove_prefix(prefix.size());
  if (is_prefix) key.remove_suffix(1);
  const bool odd = key == "." || key == ".." || key.find('/') != key.npos || key.find('\0') != key.npos;
  return odd ? std::string_view() : key;
}

}  // namespace

Outcome<bool> S3Dir::next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink) {
  for (std::uint32_t offered = 0; offered < max;) {
    if (at_ == page_.entries.size()) {
      if (page_.next.empty()) return true;
      // What was found is given before more is asked for, so that the first entries do not wait for the last.
      if (offered > 0) return false;
      auto page = client_->list(shared_.stop_of(op), {.prefix = prefix_, .token = page_.next});
      if (!page) return std::move(page.failure());
      page_ = std::move(*page);
      at_ = 0;
      continue;
    }
    const Listed& entry = page_.entries[at_];
    const auto name = name_in(entry.key, prefix_, entry.is_prefix);
    if (!name.empty()) {
      const auto attrs = entry.is_prefix ? dir_attrs(owner_) : file_attrs(owner_, entry.size, entry.mtime_ns);
      const sp_status status = sink.add(name, attrs);
      if (status == SP_E_FULL) return false;
      if (status != SP_OK) return Failure{status, "the host stopped the listing", 0};
      ++offered;
    }
    ++at_;
  }
  return false;
}

}  // namespace fs_s3
