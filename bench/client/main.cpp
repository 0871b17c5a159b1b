// SPDX-License-Identifier: Apache-2.0
//
// sallyport-bench-client: command line of the load generator. Prints one JSON line; exit code 1 and a reason on stderr
// when anything failed.
#include <libssh/libssh.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>

#include "bench/client/commands.h"
#include "bench/client/pattern.h"

namespace {

using bench::client::Options;

struct Commands {
  explicit Commands(CLI::App& root) : app(root) {}
  CLI::App& app;
  Options options;
  std::function<std::string()> chosen;

  CLI::App& add(const std::string& name, const std::string& help, std::string (*run)(const Options&)) {
    CLI::App* command = app.add_subcommand(name, help);
    command->callback([this, run] { chosen = [this, run] { return run(options); }; });
    return *command;
  }
};

void add_connection_options(CLI::App& app, Options& options) {
  app.add_option("--host", options.target.host, "IPv4 address of the server");
  app.add_option("--port", options.target.port);
  app.add_option("--user", options.target.user);
  app.add_option("--key", options.target.key_file, "private key file without passphrase");
  app.add_option("--cipher", options.target.cipher);
  app.add_option("--mac", options.target.mac);
}

void add_transfer_options(CLI::App& command, Options& options) {
  command.add_option("path", options.plan.path)->required();
  command.add_option("--bytes", options.plan.size_bytes, "size of the file")->required();
  command.add_option("--block-bytes", options.plan.block_bytes, "largest read or write, if the server allows it");
  command.add_option("--in-flight-bytes", options.plan.in_flight_bytes);
}

void add_commands(Commands& commands) {
  Options& options = commands.options;
  add_transfer_options(commands.add("get", "one download; begins when stdin says so", bench::client::run_transfer),
                       options);
  CLI::App& put = commands.add("put", "one upload; begins when stdin says so", bench::client::run_transfer);
  add_transfer_options(put, options);
  put.preparse_callback([&options](std::size_t) { options.plan.write = true; });
  CLI::App& bulk = commands.add("bulk", "endless transfers until stdin ends", bench::client::run_bulk);
  add_transfer_options(bulk, options);
  bulk.add_flag("--write", options.plan.write, "upload instead of download");
  bulk.add_option("--parallel", options.parallel);
  bulk.add_option("--seconds", options.seconds, "upper limit");
  CLI::App& login = commands.add("login", "logins up to a working SFTP channel", bench::client::run_login);
  login.add_option("--count", options.count);
  login.add_option("--parallel", options.parallel);
  login.add_option("--interval-ms", options.interval_ms, "pause of each thread between its logins");
  CLI::App& crowd = commands.add("crowd", "one download alone, and beside many logins", bench::client::run_crowd);
  add_transfer_options(crowd, options);
  crowd.add_option("--count", options.count, "logins");
  crowd.add_option("--crowd-user", options.crowd_user, "who logs in")->required();
  crowd.add_option("--crowd-port", options.crowd_port, "where, if not at the download's server");
  crowd.add_option("--seconds", options.seconds, "how long the download is looked at alone, before and after");
  commands.add("idle", "sessions that do nothing until stdin ends", bench::client::run_idle)
      .add_option("--count", options.count);
  commands.add("list", "one directory listing", bench::client::run_list)
      .add_option("path", options.plan.path)
      ->required();
  CLI::App& files = commands.add("small", "downloads files of 1 KiB", bench::client::run_small_files);
  files.add_option("path", options.plan.path, "their directory")->required();
  files.add_option("--count", options.count);
  files.add_option("--parallel", options.parallel, "files under way at a time, on one session");
  files.add_flag("--write", options.plan.write, "upload instead of download");
  CLI::App& small = commands.add("smallops", "latency of a 1 KiB put and get", bench::client::run_small_ops);
  small.add_option("path", options.plan.path)->required();
  small.add_option("--count", options.count);
  small.add_option("--interval-ms", options.interval_ms);
}

void add_file_commands(Commands& commands) {
  const auto add = [&commands](const char* name, const char* help, void (*run)(const std::string&, std::uint64_t)) {
    CLI::App* command = commands.app.add_subcommand(name, help);
    add_transfer_options(*command, commands.options);
    command->callback([&commands, run] {
      commands.chosen = [&commands, run] {
        run(commands.options.plan.path, commands.options.plan.size_bytes);
        return std::string(R"({"ok":true})");
      };
    });
  };
  add("make-file", "write local test data", bench::client::write_pattern_file);
  add("check-file", "compare a local file with the test data", bench::client::check_pattern_file);
}

void raise_descriptor_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int run(int argc, char** argv) {
  CLI::App app{"load generator for SFTP servers"};
  app.require_subcommand(1);
  Commands commands(app);
  add_connection_options(app, commands.options);
  add_commands(commands);
  add_file_commands(commands);
  CLI11_PARSE(app, argc, argv);
  raise_descriptor_limit();
  ssh_init();
  std::puts(commands.chosen().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
