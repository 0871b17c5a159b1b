// SPDX-License-Identifier: Apache-2.0
//
// A store renames nothing: what is renamed is copied within the store and then deleted. A directory is as many copies
// as it has keys, up to a limit; nothing is deleted before all are made, so that a failure leaves everything where it
// was. From then on it goes forward only: one key that cannot be deleted keeps no other from it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <iterator>
#include <mutex>
#include <optional>
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

// Stores, and some of their answers, leave the quotes away.
std::string bare(std::string etag) {
  std::erase(etag, '"');
  return etag;
}

// What is begun is brought to its end as long as that gets on, and for some seconds when nobody waits for it any more.
class Ending {
 public:
  Ending(const Stop& stop, std::chrono::seconds patience) : stop_(stop), patience_(patience) {}
  void got_on() { last_ = now(); }  // any thread, as over()
  bool over() {
    if (stop_ && stop_()) {
      Clock::rep nobody = 0;
      left_.compare_exchange_strong(nobody, now());
      if (now() - left_ >= since(kAfterLeaving)) return true;
    }
    return now() - last_ >= since(patience_);
  }
  Stop stop() {
    return [this] { return over(); };
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr auto kAfterLeaving = std::chrono::seconds(5);
  static Clock::rep now() { return Clock::now().time_since_epoch().count(); }
  static Clock::rep since(std::chrono::seconds time) { return Clock::duration(time).count(); }

  const Stop& stop_;
  const std::chrono::seconds patience_;
  std::atomic<Clock::rep> last_ = now(), left_ = 0;
};

constexpr const char* kStandstill = "the store did not get on with it";
constexpr int kLooks = 3;  // at an object that somebody replaces again and again

}  // namespace

// One key on its way.
struct S3Fs::Moving {
  std::string from, to;
  std::string version;                 // ETag of the object
  std::vector<std::string> made = {};  // those that its copy may have
  bool copied = false;                 // or perhaps
};

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
Outcome<void> S3Fs::remove_version(const Stop& stop, const std::string& key, const std::vector<std::string>& etags) {
  auto now = client_->head(stop, key);
  if (!now && now.failure().status == SP_E_NOT_FOUND) return {};
  if (!now) return std::move(now.failure());
  const auto is_that = [&](const std::string& etag) { return bare(etag) == bare(now->etag); };
  if (std::ranges::none_of(etags, is_that)) {
    return refusal(SP_E_CONFLICT, "another object has the key by now, it stays");
  }
  return client_->remove(stop, key);
}

// As it is at that moment: somebody may replace it meanwhile, or take it away, and then there is nothing to be moved.
Outcome<void> S3Fs::copy_one(const Stop& stop, Moving& key) {
  for (int look = 1;; ++look) {
    if (stop && stop()) return refusal(SP_E_CANCELLED, "the renaming was given up");
    auto info = client_->head(stop, key.from);
    if (!info && info.failure().status == SP_E_NOT_FOUND) return {};
    if (!info) return std::move(info.failure());
    key.version = info->etag;
    std::string made;
    auto copy = client_->copy(stop, key.from, key.to, *info, nullptr, &made);
    key.copied = copy || key.copied || in_doubt(copy.failure());
    if (copy || in_doubt(copy.failure())) key.made.push_back(std::move(made));
    if (copy) return {};
    const auto status = copy.failure().status;
    if ((status != SP_E_CONFLICT && status != SP_E_NOT_FOUND) || look == kLooks) return copy;
  }
}

// What stays of them, in words; empty: nothing.
std::string S3Fs::take_copies_back(const Stop& stop, std::vector<Moving>& all) {
  Ending ending(stop, shared_.settings.rename_patience);
  std::atomic<std::size_t> gone = 0, others = 0;
  std::size_t ignored = 0;
  // Those that it never comes to, because memory is short, stay too.
  (void)each(shared_.pool, client_->store(), all.size(), ignored, [&](std::size_t i) -> Outcome<void> {
    const Moving& key = all[i];
    if (!key.copied || ending.over()) return {};
    auto done = remove_version(ending.stop(), key.to, key.made);
    const bool conflict = !done && done.failure().status == SP_E_CONFLICT;
    if (done || conflict) ending.got_on();
    if (done) ++gone;
    if (conflict) ++others;
    return {};
  });
  const auto copied = static_cast<std::size_t>(std::ranges::count_if(all, &Moving::copied));
  const std::size_t left = copied - gone - others;
  if (left == 0 && others == 0) return {};
  std::string text = std::to_string(left) + " of these could not be deleted again, ";
  if (others > 0) text += std::to_string(others) + " new names have objects that are perhaps not copies and stay, ";
  return text;
}

Outcome<void> S3Fs::move_all(const Stop& stop, std::vector<Moving>& all, const std::string& names) {
  const sallyport::Log log(&shared_.host, "fs-s3");
  const std::string count = std::to_string(all.size());
  std::size_t done = 0;
  auto copies =
      each(shared_.pool, client_->store(), all.size(), done, [&](std::size_t i) { return copy_one(stop, all[i]); });
  if (!copies) {  // what was there before is there still
    const std::string left = take_copies_back(stop, all);
    const std::string text = std::to_string(done) + " of " + count + " keys were copied, " +
                             (left.empty() ? "0 of these could not be deleted again, " : left) + "nothing has moved";
    if (!left.empty()) log.warn(names + ": " + text);
    return told(std::move(copies.failure()), text + ": ");
  }
  Ending ending(stop, shared_.settings.rename_patience);
  std::mutex mutex;
  std::optional<Failure> why;  // under mutex, as the rest
  std::size_t gone = 0, replaced = 0;
  auto deleted = each(shared_.pool, client_->store(), all.size(), done, [&](std::size_t i) -> Outcome<void> {
    if (!all[i].copied) return {};
    Outcome<void> removal = refusal(SP_E_TIMED_OUT, kStandstill);
    if (!ending.over()) removal = remove_version(ending.stop(), all[i].from, {all[i].version});
    const bool conflict = !removal && removal.failure().status == SP_E_CONFLICT;
    if (removal || conflict) ending.got_on();
    const std::lock_guard lock(mutex);
    if (removal) ++gone;
    if (conflict) ++replaced;
    // What the store did not do says more than what somebody else did.
    if (!removal && (!why || (!conflict && why->status == SP_E_CONFLICT))) why = std::move(removal.failure());
    return {};
  });
  if (!deleted && !why) why = std::move(deleted.failure());  // short of memory: the others it never came to
  if (!why) return {};
  const auto copied = static_cast<std::size_t>(std::ranges::count_if(all, &Moving::copied));
  const std::string text = "all " + count + " keys have their new names; of the old ones " + std::to_string(replaced) +
                           " were replaced meanwhile and stay, " + std::to_string(copied - gone - replaced) +
                           " could not be deleted";
  log.warn(names + ": " + text);
  return told(*std::move(why), text + ": ");
}

Outcome<void> S3Fs::rename_dir(const Stop& stop, std::string_view from, std::string_view to) {
  const std::string source = keys_.directory(from), target = keys_.directory(to);
  auto found = tree(stop, source);
  if (!found) return std::move(found.failure());
  if (found->empty()) return refusal(SP_E_NOT_FOUND, "no key begins so");
  std::vector<Moving> all;
  for (auto& entry : *found) {
    std::string key = target + entry.key.substr(source.size());
    if (!Keys::fits(key)) return refusal(SP_E_NAME_TOO_LONG, "a key would be longer than a store allows");
    all.push_back({.from = std::move(entry.key), .to = std::move(key), .version = {}});
  }
  return move_all(stop, all,
                  "renaming /" + source + " to /" + target + " in bucket \"" + client_->bucket().name + "\"");
}

Outcome<void> S3Fs::rename_file(const Stop& stop, const std::string& from, const std::string& to,
                                const ObjectInfo& what) {
  auto copy = client_->copy(stop, from, to, what);
  if (!copy) return copy;
  Ending ending(stop, shared_.settings.rename_patience);
  auto removal = remove_version(ending.stop(), from, {what.etag});
  if (removal) return {};
  return told(std::move(removal.failure()), "the copy has its new name already, the old one could not be deleted: ");
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
  auto done =
      directory ? rename_dir(stop, from, to) : rename_file(stop, keys_.file(from), keys_.file(to), source->info);
  for (const auto path : {from, to}) shared_.parents_seen.forget(client_->whole_name(keys_.file(path)));
  return done;
}

}  // namespace fs_s3
