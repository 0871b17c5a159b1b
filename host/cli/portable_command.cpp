// SPDX-License-Identifier: Apache-2.0
//
// `portable`: the flags of the replaced system, and ours for tests of clients. Main thread.
#include <iostream>
#include <memory>

#include "host/app/portable.h"
#include "host/cli/commands.h"
#include "host/cli/context.h"
#include "host/cli/environment.h"
#include "host/cli/portable_flags.h"

namespace host::cli {
namespace {

int portable(const PortableFlags& flags) {
  auto plan = plan_portable(flags);
  if (!plan) return fail(plan.error());
  plan->options.listening = [&](const app::PortableOptions::Listening& listening) {
    std::cout << (flags.json ? portable_json(*plan, listening) : portable_line(*plan, listening)) << '\n';
    return flush_output();
  };
  return app::portable(plan->options);
}

void add_access_flags(CLI::App& command, PortableFlags& flags) {
  command.add_option("-d,--directory", flags.directory, "directory to serve (default: the working directory)");
  command.add_option("-s,--sftpd-port", flags.port, "port; 0: a random one from 49152 to 64151 (default: 0)")
      ->check(CLI::Range(0, 65535));
  command.add_option("--bind-address", flags.bind_address,
                     "address to listen on; empty: all, with --any-credentials 127.0.0.1 (default: empty)");
  command
      .add_option("-c,--ssh-commands", flags.ssh_commands,
                  "SSH commands to allow, with commas; *: all, scp included (default: md5sum,sha1sum,cd,pwd)")
      ->allow_extra_args(false);
  command.add_option("-u,--username", flags.username, "user name (default: user)");
  command.add_option("-p,--password", flags.password,
                     "password; better SFTPGO_PORTABLE_PASSWORD or --password-file, arguments are seen by everybody on "
                     "this machine (default: a random one, none if there is a public key)");
  command.add_option("--password-file", flags.account.password_file, "read the password from the first line of a file");
  command.add_option("-k,--public-key", flags.account.public_keys, "public key as in authorized_keys; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--public-key-file", flags.account.public_key_files, "file with public keys; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("-g,--permissions", flags.permissions,
                  "rights of the user, with commas; *: all (default: list,download)")
      ->allow_extra_args(false);
  command
      .add_option(
          "--allowed-extensions", flags.allowed_extensions,
          "only files that end so may be moved: .jpg,.png, or /sub=.jpg,.png below a directory; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--denied-extensions", flags.denied_extensions,
                  "files that end so may not be moved, written in the same way; may be repeated")
      ->allow_extra_args(false);
  command
      .add_option("--host-key", flags.host_keys,
                  "private host key file; may be repeated (default: keys made for this run, which are never stored)")
      ->allow_extra_args(false);
}

void add_life_flags(CLI::App& command, PortableFlags& flags) {
  command.add_option("-l,--log-file-path", flags.log_file, "log file; empty: no log (default: empty)");
  command.add_flag("--json", flags.json, "say what is served as one line of JSON");
  command.add_option("--exit-after", flags.exit_after, "stop after this time, such as 90s or 1h30m");
  command.add_flag("--with-parent", flags.with_parent, "stop when standard input ends");
  command.add_flag("--any-credentials", flags.any_credentials,
                   "let everybody in, under any name and with any password or key; for tests of clients");
  command.add_flag("--allow-insecure", flags.allow_insecure, "allow --any-credentials beyond this machine");
  command
      .add_option("--fault", flags.faults,
                  "spoil calls of the storage: OPERATION[:WHICH]:EFFECT[,EFFECT...], such as read:3:error=EIO or "
                  "write:delay=200ms; may be repeated (docs/testing-clients.md)")
      ->allow_extra_args(false);
  command.add_flag("-C,--advertise-credentials", flags.advertise_credentials,
                   "put user name and password into the advertisement");
}

void add_storage_flags(CLI::App& command, PortableFlags& flags) {
  command
      .add_option("-f,--fs-provider", flags.fs_provider, "0: local files, 1: S3, 2: Google Cloud Storage (default: 0)")
      ->check(CLI::Range(0, 2));
  const auto add = [&](const char* flag, std::string& value, const char* description) {
    command.add_option(flag, value, description);
  };
  flags.s3["access_secret"] = text_from_environment("SFTPGO_PORTABLE_S3_ACCESS_SECRET", "");
  add("--s3-bucket", flags.s3["bucket"], "bucket");
  add("--s3-region", flags.s3["region"], "region");
  add("--s3-access-key", flags.s3["access_key"], "access key");
  add("--s3-access-secret", flags.s3["access_secret"], "its secret (SFTPGO_PORTABLE_S3_ACCESS_SECRET)");
  add("--s3-endpoint", flags.s3["endpoint"], "another server than Amazon's");
  add("--s3-storage-class", flags.s3["storage_class"], "storage class of new files");
  add("--s3-key-prefix", flags.s3["key_prefix"], "serve only what begins with this");
  add("--gcs-bucket", flags.gcs["bucket"], "bucket");
  add("--gcs-storage-class", flags.gcs["storage_class"], "storage class of new files");
  add("--gcs-key-prefix", flags.gcs["key_prefix"], "serve only what begins with this");
  add("--gcs-credentials-file", flags.gcs_credentials_file, "JSON file with credentials");
  command
      .add_option("--gcs-automatic-credentials", flags.gcs_automatic_credentials,
                  "1: those of this machine; 0: those of the file (default: 1, with a file 0)")
      ->check(CLI::Range(0, 1));
}

}  // namespace

void add_portable_command(Commands& commands) {
  auto flags = std::make_shared<PortableFlags>();
  auto advertise = std::make_shared<const CLI::Option*>(nullptr);
  auto& command = commands.add(commands.root(), "portable", "serve a single directory", [flags, advertise] {
    flags->advertise_given = (*advertise)->count() > 0;
    return portable(*flags);
  });
  add_access_flags(command, *flags);
  add_life_flags(command, *flags);
  *advertise = command.add_flag("-S,--advertise-service", flags->advertise,
                                "tell the network by multicast DNS; =false to switch off (default: true, unless bound "
                                "to this machine only)");
  add_storage_flags(command, *flags);
}

}  // namespace host::cli
