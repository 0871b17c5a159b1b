// SPDX-License-Identifier: Apache-2.0
//
// `serve`: flags and environment of the replaced system -> app::ServeOptions.
#include <cstdlib>
#include <memory>

#include "host/app/app.h"
#include "host/cli/commands.h"
#include "host/cli/context.h"
#include "host/cli/environment.h"

namespace host::cli {
namespace {

struct ServeFlags {
  ConfigFlags config;
  core::log::Options log;
  std::string problem;  // with a variable; only `serve` itself minds

  ServeFlags() {
    log.path = text_from_environment("SFTPGO_LOG_FILE_PATH", "sallyport.log");
    take(log.max_size_mb, number_from_environment("SFTPGO_LOG_MAX_SIZE", static_cast<std::uint32_t>(log.max_size_mb)));
    take(log.max_backups, number_from_environment("SFTPGO_LOG_MAX_BACKUPS", log.max_backups));
    take(log.max_age_days, number_from_environment("SFTPGO_LOG_MAX_AGE", log.max_age_days));
    take(log.compress, switch_from_environment("SFTPGO_LOG_COMPRESS", log.compress));
    take(log.verbose, switch_from_environment("SFTPGO_LOG_VERBOSE", log.verbose));
  }

  template <class To, class From>
  void take(To& to, const core::Result<From>& from) {
    if (from) {
      to = *from;
    } else {
      problem = from.error().text;
    }
  }
};

int serve(const ServeFlags& flags) {
  if (!flags.problem.empty()) return fail(flags.problem);
  app::ServeOptions options;
  options.config_dir = flags.config.dir;
  options.config_file = flags.config.file;
  options.log = flags.log;
  return app::serve(options);
}

// CLI11 turns a negative number into a huge one.
CLI::Range whole_number() { return {std::int64_t{0}, std::int64_t{UINT32_MAX}}; }

}  // namespace

void add_serve_command(Commands& commands) {
  auto flags = std::make_shared<ServeFlags>();
  auto& command = commands.add(commands.root(), "serve", "start the SFTP server", [flags] { return serve(*flags); });
  flags->config.add_to(command);
  auto& log = flags->log;
  command.add_option("-l,--log-file-path", log.path,
                     "log file, relative to the configuration directory; empty: standard output "
                     "(default: SFTPGO_LOG_FILE_PATH or sallyport.log)");
  command
      .add_option("-s,--log-max-size", log.max_size_mb,
                  "megabytes after which the log is rotated (SFTPGO_LOG_MAX_SIZE or 10)")
      ->check(whole_number());
  command
      .add_option("-b,--log-max-backups", log.max_backups, "rotated logs to keep, 0: all (SFTPGO_LOG_MAX_BACKUPS or 5)")
      ->check(whole_number());
  command
      .add_option("-a,--log-max-age", log.max_age_days,
                  "days to keep rotated logs, 0: for ever (SFTPGO_LOG_MAX_AGE or 28)")
      ->check(whole_number());
  command.add_flag("-z,--log-compress", log.compress, "compress rotated logs with gzip (SFTPGO_LOG_COMPRESS or false)");
  command.add_flag("-v,--log-verbose", log.verbose,
                   "log debug messages; =false to switch off (SFTPGO_LOG_VERBOSE or true)");
}

}  // namespace host::cli
