// SPDX-License-Identifier: Apache-2.0
//
// A store renames nothing: what is renamed is copied within the store and then deleted. A directory is as many copies
// as it has keys, up to a limit; nothing is deleted before all are made, so that a failure leaves everything where it
// was.
#include <algorithm>
#include <atomic>
#include <iterator>
#include <string>
#include <utility>

#include "each.h"
#include "s3_fs.h"
#include "shared.h"

namespace fs_s3 {
namespace {

Failure refusal(sp_status status, const char* text) { return {status, text, 0}; }

// What moved stands first: the host keeps the beginning of a long text.
Failure told(Failure why, std::string what_moved) {
  why.message = std::move(what_moved) + why.message;
  return why;
}

}  // namespace

Outcome<std::vector<Listed>> S3Fs::tree(const Stop& stop, const std::string& prefix) {
  std::vector<Listed> all;
  S3Client::Listing what{.prefix = prefix, .whole_tree = true};
  do {
    auto page = client_->list(stop, what);
    if (!page) return std::move(page.failure());
    std::ranges::move(page->entries, std::back_inserter(all));
    if (all.size() > shared_.settings.rename_max_keys) {
      // Of what is not supported the host says nothing to the operator, who could change it.
      const std::string text = "has more keys than rename_max_keys allows (" +
                               std::to_string(shared_.settings.rename_max_keys) + "): it keeps its name";
      sallyport::Log(&shared_.host, "fs-s3")
          .warn("/" + prefix + " in bucket \"" + client_->bucket().name + "\" " + text);
      return Failure{SP_E_UNSUPPORTED, "the directory " + text, 0};
    }
    what.token = page->next;
  } while (!what.token.empty());
  return all;
}

// What somebody else has put under the name since it was copied is not what was renamed: it stays.
Outcome<void> S3Fs::remove_version(const Stop& stop, const std::string& key, const std::string& etag) {
  auto now = client_->head(stop, key);
  if (!now && now.failure().status == SP_E_NOT_FOUND) return {};
  if (!now) return std::move(now.failure());
  if (now->etag != etag) return refusal(SP_E_CONFLICT, "another object has the key by now, it stays");
  return client_->remove(stop, key);
}

Outcome<void> S3Fs::rename_dir(const Stop& stop, std::string_view from, std::string_view to) {
  const std::string source = keys_.directory(from), target = keys_.directory(to);
  auto all = tree(stop, source);
  if (!all) return std::move(all.failure());
  if (all->empty()) return refusal(SP_E_NOT_FOUND, "no key begins so");
  const auto new_key = [&](std::size_t i) { return target + (*all)[i].key.substr(source.size()); };
  for (std::size_t i = 0; i < all->size(); ++i) {
    if (!Keys::fits(new_key(i))) return refusal(SP_E_NAME_TOO_LONG, "a key would be longer than a store allows");
  }
  std::vector<std::atomic<bool>> copied(all->size());
  std::vector<std::string> versions(all->size());
  std::size_t done = 0;
  auto copies = each(shared_.pool, client_->store(), all->size(), done, [&](std::size_t i) -> Outcome<void> {
    if (stop && stop()) return refusal(SP_E_CANCELLED, "the renaming was given up");
    auto info = client_->head(stop, (*all)[i].key);
    if (!info) return std::move(info.failure());
    auto copy = client_->copy(stop, (*all)[i].key, new_key(i), *info);
    copied[i] = copy || in_doubt(copy.failure());
    versions[i] = std::move(info->etag);
    return copy;
  });
  if (!copies) {  // what was there before is there still
    std::atomic<std::size_t> left = 0;
    std::size_t ignored = 0;
    (void)each(shared_.pool, client_->store(), all->size(), ignored, [&](std::size_t i) -> Outcome<void> {
      if (copied[i] && !client_->remove(nullptr, new_key(i))) ++left;
      return {};
    });
    return told(std::move(copies.failure()), std::to_string(done) + " of " + std::to_string(all->size()) +
                                                 " keys were copied, " + std::to_string(left) +
                                                 " of these could not be deleted again, nothing has moved: ");
  }
  auto removals = each(shared_.pool, client_->store(), all->size(), done,
                       [&](std::size_t i) { return remove_version(stop, (*all)[i].key, versions[i]); });
  if (removals) return {};
  return told(std::move(removals.failure()), "all " + std::to_string(all->size()) + " keys are copied, " +
                                                 std::to_string(done) + " deleted where they were: ");
}

Outcome<void> S3Fs::rename(const sp_op& op, std::string_view from, std::string_view to, std::uint32_t flags) {
  const auto stop = shared_.stop_of(op);
  if (keys_.is_root(from) || keys_.is_root(to)) return refusal(SP_E_DENIED, "the root stays");
  auto source = look(stop, from);
  if (!source) return std::move(source.failure());
  if (source->kind == Kind::kNothing) return refusal(SP_E_NOT_FOUND, "no such key");
  const bool directory = source->kind == Kind::kDir;
  if (!directory && (flags & SP_RENAME_ONLY_DIR) != 0) return refusal(SP_E_NOT_DIR, "a file");
  if (directory && keys_.directory(to).starts_with(keys_.directory(from))) {
    return refusal(SP_E_INVALID, "a directory cannot go into itself");
  }
  auto target = look(stop, to);
  if (!target) return std::move(target.failure());
  if (target->kind == Kind::kNothing) {
    if (auto fits = check_parent(stop, to); !fits) return fits;
  } else {
    if ((flags & SP_RENAME_REPLACE) == 0) return refusal(SP_E_EXISTS, "the target exists");
    if (directory && target->kind == Kind::kFile) return refusal(SP_E_NOT_DIR, "the target is a file");
    if (!directory && target->kind == Kind::kDir) return refusal(SP_E_IS_DIR, "the target is a directory");
    auto empty = directory ? is_empty(stop, to) : Outcome<bool>(true);
    if (!empty) return std::move(empty.failure());
    if (!*empty) return refusal(SP_E_NOT_EMPTY, "the target has keys below it");
  }
  if (directory) return rename_dir(stop, from, to);
  const std::string key = keys_.file(from);
  auto copy = client_->copy(stop, key, keys_.file(to), source->info);
  if (!copy) return copy;
  auto removal = remove_version(stop, key, source->info.etag);
  if (removal) return {};
  return told(std::move(removal.failure()), "the copy has its new name already, the old one could not be deleted: ");
}

}  // namespace fs_s3
