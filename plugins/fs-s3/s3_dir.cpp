// SPDX-License-Identifier: Apache-2.0
//
// Streams a listing. One call at a time.
#include "s3_dir.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "each.h"
#include "shared.h"

namespace fs_s3 {
namespace {

constexpr std::size_t kTimesAhead = 128;  // about what one answer to a client holds

// Does a path lead there? Not to "", ".", "..", nor to what has a NUL in it.
bool is_path(std::string_view name, bool may_lie_deeper) {
  if (name.find('\0') != name.npos || (!may_lie_deeper && name.find('/') != name.npos)) return false;
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const auto step = name.substr(at, end - at);
    if (step.empty() || step == "." || step == "..") return false;
    at = end + 1;
  }
  return true;
}

// The entry's name within the directory; empty: a directory's own marker, or a key that no path leads to.
std::string_view name_in(std::string_view key, const S3Client::Listing& what, bool is_prefix) {
  key.remove_prefix(what.prefix.size());
  if (is_prefix && !key.empty()) key.remove_suffix(1);
  return is_path(key, what.whole_tree) ? key : std::string_view();
}

}  // namespace

// A name is a file or a directory, and stat says which: the object comes first.
void S3Dir::take(ListPage page) {
  std::set<std::string, std::less<>> objects;
  for (const auto& entry : page.entries) {
    if (!entry.is_prefix) objects.insert(entry.key);
  }
  std::erase_if(page.entries, [&](const Listed& entry) {
    return entry.is_prefix && objects.contains(std::string_view(entry.key).substr(0, entry.key.size() - 1));
  });
  page_ = std::move(page);
  at_ = timed_ = 0;
}

// Listings do not say them. An object that does not tell its own has that of its upload.
void S3Dir::ask_for_times(const Stop& stop) {
  const std::size_t first = at_, count = std::min(kTimesAhead, page_.entries.size() - at_);
  std::size_t ignored = 0;
  (void)each(shared_.pool, client_->store(), count, ignored, [&](std::size_t i) -> Outcome<void> {
    Listed& entry = page_.entries[first + i];
    if (entry.is_prefix || (stop && stop())) return {};
    auto info = client_->head(stop, entry.key);
    if (info) entry.mtime_ns = kept_mtime(info->nature).value_or(entry.mtime_ns);
    return {};
  });
  timed_ = first + count;
}

Outcome<bool> S3Dir::next(const sp_op& op, std::uint32_t max, const sallyport::EntrySink& sink) {
  const auto stop = shared_.stop_of(op);
  const bool wants_times = shared_.settings.times == Settings::Times::kList && !what_.whole_tree;
  for (std::uint32_t offered = 0; offered < max;) {
    if (at_ == page_.entries.size()) {
      if (page_.next.empty()) return true;
      // What was found is given before more is asked for, so that the first entries do not wait for the last.
      if (offered > 0) return false;
      what_.token = page_.next;
      auto page = client_->list(stop, what_);
      if (!page) return std::move(page.failure());
      take(std::move(*page));
      continue;
    }
    if (wants_times && at_ == timed_) ask_for_times(stop);
    const Listed& entry = page_.entries[at_];
    const auto name = name_in(entry.key, what_, entry.is_prefix);
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
