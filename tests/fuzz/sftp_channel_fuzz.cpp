// SPDX-License-Identifier: Apache-2.0
//
// Any bytes in any pieces against a whole channel. Everything runs on one thread: jobs wait in a list that is worked
// off between pieces, so that a finding repeats. A broken promise aborts.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "host/core/limits.h"
#include "host/sftp/channel_impl.h"
#include "host/sftp/testing/client.h"
#include "host/sftp/testing/fake_fs.h"

namespace {

using namespace host;

// Jobs and posted functions of the run, oldest first.
std::deque<std::function<void()>>& jobs() {
  static std::deque<std::function<void()>> list;
  return list;
}

// A pool that has stopped runs clean-up jobs at once, on this thread.
core::WorkerPool& stopped_pool() {
  static auto* pool = [] {
    auto* made = new core::WorkerPool("fuzz", 1, 1);
    made->stop();
    return made;
  }();
  return *pool;
}

void require(bool promise, const char* text) {
  if (promise) return;
  std::fprintf(stderr, "broken: %s\n", text);
  std::abort();
}

bool full_now = false;

bool submit(core::WorkerPool&, core::WorkerPool::Job job, bool cleanup) {
  if (full_now && !cleanup) return false;
  jobs().push_back(std::move(job));
  return true;
}

// What the first input byte turns on, and the upper bits of the second.
struct Options {
  Options(std::uint8_t bits, std::uint8_t more)
      : lanes(bits & 1 ? 4 : 1),
        would_block(bits & 2),
        serial(bits & 4),
        ascending(bits & 8),
        full(bits & 16),
        lazy_client(bits & 32),
        early_end(bits & 64),
        no_features(bits & 128),
        alone(more & 64),
        limited(more & 128) {}
  std::uint32_t lanes;
  bool would_block, serial, ascending, full, lazy_client, early_end, no_features, alone, limited;
};

constexpr std::int64_t kBytesPerSecond = 1'000'000;

std::shared_ptr<sftp::testing::FakeFs> make_fs(const Options& options) {
  auto fs = std::make_shared<sftp::testing::FakeFs>(stopped_pool(), stopped_pool());
  using Caps = plugin::FsCaps;
  fs->caps.max_inflight = options.lanes;
  if (options.serial) fs->caps.flags &= ~std::uint64_t{Caps::kParallelIo};
  if (options.ascending) fs->caps.flags &= ~std::uint64_t{Caps::kRandomWrite};
  fs->try_reads_block = options.would_block;
  if (options.no_features) fs->can = {};
  if (options.limited) {
    const auto bucket = [] { return std::make_shared<vfs::Bucket>(kBytesPerSecond, vfs::Time()); };
    fs->limit({.upload = bucket(), .download = bucket()});
  }
  fs->max_file_bytes = 64 * 1024;
  fs->put("/f", std::string(3000, 'f'));
  fs->put_dir("/d");
  for (int index = 0; index < 5; ++index) fs->put("/d/" + std::to_string(index), "x");
  return fs;
}

class Session {
 public:
  explicit Session(const Options& options)
      : options_(options),
        fs_(make_fs(options)),
        channel_(std::make_shared<sftp::ChannelImpl>(
            fs_,
            sftp::Channel::Hooks{.post = [](std::function<void()> job) { jobs().push_back(std::move(job)); },
                                 .wake = [] {},
                                 // Alone as long as nobody else has a turn: that changes in the midst of work.
                                 .alone = [this] { return options_.alone && turns_ % 4 != 3; },
                                 .now = [this] { return now_; }},
            std::make_shared<sftp::Usage>(), submit)) {}

  void feed(std::span<const std::byte> piece) {
    channel_->on_data(piece);
    channel_->fill(options_.would_block ? 1000 : 100000);
    now_ += std::chrono::milliseconds(100);
    if (++turns_ % 3 != 0) work(1);
    if (!options_.lazy_client) take();
  }

  void end() {
    channel_->on_eof();
    if (!options_.early_end) {
      for (int turn = 0; !channel_->finished() && !channel_->failed(); ++turn) {
        require(turn < 10000, "all requests are answered after the end of input");
        now_ = std::max(now_, channel_->next_turn() == vfs::Time::max() ? now_ : channel_->next_turn());
        channel_->fill(100000);
        work(100);
        take();
      }
    }
    channel_->abandon();
    channel_.reset();
    work(1000000);
    require(fs_->gate.count("never_closed") == 0, "files are closed before they are destroyed");
    const auto opened = fs_->gate.count("open"), closed = fs_->gate.count("lost") + fs_->gate.count("commit");
    require(closed <= opened, "files are closed once");
    require(fs_.use_count() == 1, "nothing is left behind");
  }

 private:
  void work(int count) {
    for (; count > 0 && !jobs().empty(); --count) {
      full_now = options_.full && ++runs_ % 4 == 0;
      auto job = std::move(jobs().front());
      jobs().pop_front();
      job();
    }
  }

  void take() {
    for (const auto& reply : sftp::testing::take_replies(channel_->output())) {
      const auto type = static_cast<int>(reply.type);
      require(type == 2 || (type >= 101 && type <= 105) || type == 201, "replies are whole packets of known types");
      require(reply.fields.size() <= core::limits::kMaxPacketBytes, "replies have a limit");
    }
  }

  const Options options_;
  const std::shared_ptr<sftp::testing::FakeFs> fs_;
  std::shared_ptr<sftp::ChannelImpl> channel_;
  vfs::Time now_{std::chrono::hours(1)};
  int turns_ = 0;
  int runs_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  full_now = false;
  Session session{Options(data[0], data[1])};
  constexpr std::size_t kStep = 4;
  const std::size_t step = (data[1] & 63) == 0 ? size : (data[1] & 63) * kStep - (kStep - 1);
  auto rest = std::as_bytes(std::span(data + 2, size - 2));
  while (!rest.empty()) {
    const auto piece = rest.first(std::min(step, rest.size()));
    rest = rest.subspan(piece.size());
    session.feed(piece);
  }
  session.end();
  return 0;
}
