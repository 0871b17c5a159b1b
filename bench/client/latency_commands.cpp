// SPDX-License-Identifier: Apache-2.0
//
// list and smallops: one request at a time, as an interactive client does.
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/client/commands.h"
#include "bench/client/pattern.h"
#include "bench/client/statistics.h"

namespace bench::client {

std::string run_list(const Options& options) {
  Connection connection(options.target);
  const Stopwatch watch;
  const std::string handle = connection.open_directory(options.plan.path);
  std::uint64_t entries = 0;
  std::uint64_t replies = 0;
  while (const std::uint32_t more = connection.read_directory(handle)) {
    entries += more;
    replies++;
  }
  connection.close_handle(handle);
  return nlohmann::json{{"wall_s", watch.seconds()}, {"entries", entries}, {"replies", replies}}.dump();
}

std::string run_small_ops(const Options& options) {
  Connection connection(options.target);
  auto content = make_pattern(kPatternBlock);
  stamp_pattern(content, 0);
  std::vector<double> put_ms;
  std::vector<double> get_ms;
  for (unsigned i = 0; i < options.count; i++) {
    const Stopwatch put;
    std::string handle = connection.open_file(options.plan.path, kOpenWrite | kOpenCreate | kOpenTruncate);
    connection.write_block(handle, content);
    connection.close_handle(handle);
    put_ms.push_back(put.seconds() * 1000);

    const Stopwatch get;
    handle = connection.open_file(options.plan.path, kOpenRead);
    const std::size_t got = connection.read_block(handle, kPatternBlock);
    connection.close_handle(handle);
    get_ms.push_back(get.seconds() * 1000);
    if (got != kPatternBlock) {
      throw std::runtime_error("the file just written has another size");
    }
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(options.interval_ms));
  }
  return nlohmann::json{{"count", options.count},
                        {"put_p50_ms", percentile(put_ms, 50)},
                        {"put_p95_ms", percentile(put_ms, 95)},
                        {"put_max_ms", percentile(put_ms, 100)},
                        {"get_p50_ms", percentile(get_ms, 50)},
                        {"get_p95_ms", percentile(get_ms, 95)},
                        {"get_max_ms", percentile(get_ms, 100)}}
      .dump();
}

}  // namespace bench::client
