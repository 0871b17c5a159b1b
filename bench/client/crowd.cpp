// SPDX-License-Identifier: Apache-2.0
//
// crowd: how fast one download is without, and with, many logins under way beside it. Key exchanges are made before
// anything is measured: they are the clients' work as much as the server's, and what is looked for is what waiting for
// logins costs.
#include <atomic>
#include <chrono>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "bench/client/commands.h"
#include "bench/client/control.h"
#include "bench/client/statistics.h"

namespace bench::client {
namespace {

constexpr unsigned kConnectors = 4;
constexpr auto kSettle = std::chrono::seconds(1);

// A download that goes on, on a thread of its own, until it is let go.
class Download {
 public:
  explicit Download(const Options& options)
      : connection_(options.target), plan_(options.plan), thread_([this] { run(); }) {}
  ~Download() { stop_ = true; }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  std::uint64_t moved() const { return moved_; }
  void end() {
    stop_ = true;
    thread_.join();
    if (error_) {
      std::rethrow_exception(error_);
    }
  }

 private:
  void run() {
    try {
      connection_.enable_readahead();
      plan_.progress = &moved_;
      while (!stop_) {
        Transfer transfer(connection_, plan_);
        transfer.run(&stop_);
        transfer.close();
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  Connection connection_;
  TransferPlan plan_;
  std::atomic<std::uint64_t> moved_{0};
  std::atomic<bool> stop_{false};
  std::exception_ptr error_;
  std::jthread thread_;
};

// Bytes per second while `task` runs.
template <class Task>
double rate_during(const Download& download, const Task& task) {
  const auto before = download.moved();
  const Stopwatch watch;
  task();
  return static_cast<double>(download.moved() - before) / watch.seconds();
}

}  // namespace

std::string run_crowd(const Options& options) {
  std::vector<std::unique_ptr<Connection>> crowd(options.count);
  run_parallel(options.count, kConnectors, [&](unsigned index) {
    Target target = options.target;
    target.user = options.crowd_user;
    if (options.crowd_port != 0) target.port = options.crowd_port;
    target.source = "127.0.0." + std::to_string(2 + index % 4);  // one address may not have so many logins under way
    crowd[index] = std::make_unique<Connection>(target, AfterKeyExchange());
  });
  Download download(options);
  std::this_thread::sleep_for(kSettle);
  const auto pause = [&] { std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds)); };
  const double first = rate_during(download, pause);
  const Stopwatch watch;
  const double beside = rate_during(
      download, [&] { run_parallel(options.count, options.count, [&](unsigned index) { crowd[index]->log_in(); }); });
  const double crowd_s = watch.seconds();
  const double second = rate_during(download, pause);
  download.end();
  return nlohmann::json{{"alone_per_s", (first + second) / 2}, {"beside_per_s", beside}, {"crowd_s", crowd_s}}.dump();
}

}  // namespace bench::client
