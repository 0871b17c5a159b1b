// SPDX-License-Identifier: Apache-2.0
//
// ~/.aws/credentials and ~/.aws/config, as AWS's own tools read them.
#pragma once

#include <map>
#include <string>

namespace fs_s3 {

using Profile = std::map<std::string, std::string>;  // by name of the setting
using Profiles = std::map<std::string, Profile>;

// Adds what a text in their form says; what is known already stays. Indented lines belong to settings of other tools.
void read_profiles(const std::string& text, Profiles& into);
// Both files, where the environment says they are; those that cannot be read are empty.
Profiles profiles_of_machine();
// AWS_PROFILE, or "default".
std::string chosen_profile();

// Of the environment; empty: not set.
std::string variable(const char* name);
// At most 1 MiB; empty: it cannot be read.
std::string read_file(const std::string& name);
std::string stripped(const std::string& text);
// The setting's value; empty: it has none.
std::string setting(const Profile& profile, const std::string& name);

}  // namespace fs_s3
