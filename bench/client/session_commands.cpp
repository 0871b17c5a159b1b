// SPDX-License-Identifier: Apache-2.0
//
// login and idle: what connections cost. A login here ends when SFTP answered VERSION, which is what a user waits for.
#include <algorithm>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "bench/client/commands.h"
#include "bench/client/control.h"
#include "bench/client/statistics.h"

namespace bench::client {
namespace {

constexpr unsigned kIdleConnectors = 4;
constexpr double kIdleSeconds = 600;

}  // namespace

std::string run_login(const Options& options) {
  std::mutex mutex;
  std::vector<double> latencies_ms;
  const Stopwatch all;
  run_parallel(options.count, options.parallel, [&](unsigned) {
    const Stopwatch one;
    {
      const Connection connection(options.target);
      const double latency_ms = one.seconds() * 1000;
      const std::scoped_lock lock(mutex);
      latencies_ms.push_back(latency_ms);
    }
    if (options.interval_ms > 0) {
      std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.interval_ms));
    }
  });
  const double wall_s = all.seconds();
  return nlohmann::json{{"wall_s", wall_s},
                        {"count", options.count},
                        {"per_second", options.count / wall_s},
                        {"p50_ms", percentile(latencies_ms, 50)},
                        {"p95_ms", percentile(latencies_ms, 95)},
                        {"max_ms", percentile(latencies_ms, 100)}}
      .dump();
}

std::string run_idle(const Options& options) {
  std::vector<std::unique_ptr<Connection>> sessions(options.count);
  run_parallel(options.count, kIdleConnectors,
               [&](unsigned index) { sessions[index] = std::make_unique<Connection>(options.target); });
  announce_ready();
  wait_for_stdin(kIdleSeconds);
  return nlohmann::json{{"sessions", options.count}}.dump();
}

}  // namespace bench::client
