// SPDX-License-Identifier: Apache-2.0
//
// get, put and bulk. A single transfer runs on the main thread; bulk runs one thread per session.
#include <atomic>
#include <latch>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "bench/client/commands.h"
#include "bench/client/control.h"
#include "bench/client/statistics.h"

namespace bench::client {
namespace {

constexpr double kHoldSeconds = 60;

// The sessions of a bulk load. `connected` opens once all of them are logged in.
struct Load {
  explicit Load(unsigned sessions) : connected(static_cast<std::ptrdiff_t>(sessions)) {}
  std::latch connected;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> bytes{0};
};

// File after file, as someone who synchronises a tree does.
void run_load_session(const Options& options, unsigned index, Load& load) {
  TransferPlan plan = options.plan;
  plan.path += plan.write ? "." + std::to_string(index) : "";
  std::unique_ptr<Connection> connection;
  try {
    connection = std::make_unique<Connection>(options.target);
  } catch (...) {
    load.stop = true;
    load.connected.count_down();
    throw;
  }
  connection->enable_readahead();
  load.connected.arrive_and_wait();
  try {
    while (!load.stop) {
      Transfer transfer(*connection, plan);
      transfer.run(&load.stop);
      transfer.close();
      load.bytes += transfer.bytes_done();
    }
  } catch (...) {
    load.stop = true;
    throw;
  }
}

}  // namespace

std::string run_transfer(const Options& options) {
  Connection connection(options.target);
  connection.enable_readahead();
  announce_ready();
  wait_for_stdin(kHoldSeconds);
  const Stopwatch watch;
  Transfer transfer(connection, options.plan);
  transfer.run();
  transfer.close();
  const double wall_s = watch.seconds();
  return nlohmann::json{{"wall_s", wall_s}, {"bytes", transfer.bytes_done()}, {"block_bytes", transfer.block_bytes()}}
      .dump();
}

std::string run_bulk(const Options& options) {
  Load load(options.parallel);
  std::exception_ptr error;
  std::jthread sessions([&] {
    try {
      run_parallel(options.parallel, options.parallel, [&](unsigned index) { run_load_session(options, index, load); });
    } catch (...) {
      error = std::current_exception();
    }
  });
  load.connected.wait();
  const Stopwatch watch;
  announce_ready();
  const double limit_s = options.seconds;
  while (!load.stop && watch.seconds() < limit_s && !wait_for_stdin(0.1)) {}
  load.stop = true;
  sessions.join();
  if (error) {
    std::rethrow_exception(error);
  }
  return nlohmann::json{{"wall_s", watch.seconds()}, {"bytes", load.bytes.load()}, {"sessions", options.parallel}}
      .dump();
}

}  // namespace bench::client
