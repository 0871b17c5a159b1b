// SPDX-License-Identifier: Apache-2.0
//
// list and smallops: one request at a time, as an interactive client does. small: as many files at a time as wanted.
#include <chrono>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>
#include <vector>

#include "bench/client/commands.h"
#include "bench/client/pattern.h"
#include "bench/client/small_files.h"
#include "bench/client/statistics.h"

namespace bench::client {

std::string run_list(const Options& options) {
  Connection connection(options.target);
  const Stopwatch watch;
  const std::string handle = connection.open_directory(options.plan.path);
  std::uint64_t entries = 0;
  std::uint64_t replies = 0;
  double first_s = 0;
  while (const std::uint32_t more = connection.read_directory(handle)) {
    if (replies == 0) first_s = watch.seconds();
    entries += more;
    replies++;
  }
  connection.close_handle(handle);
  return nlohmann::json{{"wall_s", watch.seconds()}, {"first_s", first_s}, {"entries", entries}, {"replies", replies}}
      .dump();
}

namespace {

void put_small(Connection& connection, const std::string& path, const std::vector<std::uint8_t>& content) {
  const std::string handle = connection.open_file(path, kOpenWrite | kOpenCreate | kOpenTruncate);
  connection.write_block(handle, content);
  connection.close_handle(handle);
}

void get_small(Connection& connection, const std::string& path) {
  const std::string handle = connection.open_file(path, kOpenRead);
  const std::size_t got = connection.read_block(handle, kPatternBlock);
  connection.close_handle(handle);
  if (got != kPatternBlock) throw std::runtime_error(path + " has another size");
}

std::vector<std::uint8_t> small_content() {
  auto content = make_pattern(kPatternBlock);
  stamp_pattern(content, 0);
  return content;
}

}  // namespace

std::string run_small_files(const Options& options) {
  Connection connection(options.target);
  SmallFiles files(connection, {options.plan.path, options.plan.write, options.count, options.parallel, kPatternBlock},
                   small_content());
  const Stopwatch watch;
  files.run();
  return nlohmann::json{{"wall_s", watch.seconds()}, {"count", options.count}}.dump();
}

std::string run_small_ops(const Options& options) {
  Connection connection(options.target);
  const auto content = small_content();
  std::vector<double> put_ms;
  std::vector<double> get_ms;
  for (unsigned i = 0; i < options.count; i++) {
    const std::string path = options.plan.path + "." + std::to_string(i);
    const Stopwatch put;
    put_small(connection, path, content);
    put_ms.push_back(put.seconds() * 1000);

    const Stopwatch get;
    get_small(connection, path);
    get_ms.push_back(get.seconds() * 1000);
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
