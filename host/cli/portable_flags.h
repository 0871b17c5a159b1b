// SPDX-License-Identifier: Apache-2.0
//
// What the command line of `portable` says, and what follows from it. Inside host/cli only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/app/portable.h"
#include "host/cli/user_fields_json.h"
#include "host/core/result.h"

namespace host::cli {

struct PortableFlags {
  std::string directory = ".", bind_address, username, password, log_file, exit_after, gcs_credentials_file;
  int port = 0, fs_provider = 0, gcs_automatic_credentials = 1;
  std::vector<std::string> ssh_commands = {"md5sum", "sha1sum", "cd", "pwd"}, permissions = {"list", "download"};
  std::vector<std::string> allowed_extensions, denied_extensions, host_keys, faults;
  UserFields account;                     // keys and password file
  std::map<std::string, std::string> s3;  // member of the account's settings -> value
  std::map<std::string, std::string> gcs;
  bool advertise = true, advertise_given = false, advertise_credentials = false;
  bool any_credentials = false, allow_insecure = false, with_parent = false, json = false;
};

struct PortablePlan {
  app::PortableOptions options;  // without `listening`
  std::string directory;         // as shown: of cloud storage its key prefix
  bool show_password = true;     // false: it was given in a way that keeps it out of sight
};

// Reads files, environment and, for a password, random numbers.
core::Result<PortablePlan> plan_portable(const PortableFlags& flags);

// The line that scripts know from the replaced system, and the same as JSON with more in it; without line end.
std::string portable_line(const PortablePlan& plan, const app::PortableOptions::Listening& listening);
std::string portable_json(const PortablePlan& plan, const app::PortableOptions::Listening& listening);

}  // namespace host::cli
