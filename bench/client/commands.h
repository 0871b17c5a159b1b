// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "bench/client/connection.h"
#include "bench/client/transfer.h"

namespace bench::client {

struct Options {
  Target target;
  TransferPlan plan;
  unsigned count = 1;
  unsigned parallel = 1;
  double interval_ms = 0;
  double seconds = 60;
  std::string crowd_user;
  std::uint16_t crowd_port = 0;  // 0: the download's
};

// Each returns one line of JSON and throws on any failure: a measurement with a failed request is no measurement.
std::string run_transfer(
    const Options& options);                    // one file; waits for a line on stdin between login and first request
std::string run_bulk(const Options& options);   // `parallel` endless transfers until stdin ends or `seconds` are over
std::string run_login(const Options& options);  // `count` logins, `parallel` at a time
std::string run_idle(const Options& options);   // `count` sessions held until stdin ends
std::string run_crowd(const Options& options);  // one endless download beside `count` logins of `crowd_user`
std::string run_list(const Options& options);   // one directory, READDIR by READDIR
std::string run_small_files(const Options& options);  // `count` files of 1 KiB in one directory, `parallel` at a time
std::string run_small_ops(const Options& options);    // `count` times a 1 KiB put and get of a new file on one session

}  // namespace bench::client
