// SPDX-License-Identifier: Apache-2.0
//
// Reads when asked, keeps nothing: the secrets go to whoever asks.
#include "profiles.h"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

namespace fs_s3 {
namespace {

constexpr std::size_t kMaxFileBytes = 1024 * 1024;
constexpr std::string_view kSection = "profile ";

}  // namespace

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string read_file(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) return {};
  std::string text(kMaxFileBytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

std::string stripped(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string setting(const Profile& profile, const std::string& name) {
  const auto found = profile.find(name);
  return found != profile.end() ? found->second : "";
}

void read_profiles(const std::string& text, Profiles& into) {
  Profile* here = nullptr;
  std::istringstream in(text);
  for (std::string raw; std::getline(in, raw);) {
    const std::string line = stripped(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      std::string name = stripped(line.substr(1, line.find(']') - 1));
      if (name.starts_with(kSection)) name = stripped(name.substr(kSection.size()));
      here = &into[name];
      continue;
    }
    const auto equals = line.find('=');
    const bool indented = raw.front() == ' ' || raw.front() == '\t';
    if (here == nullptr || indented || equals == std::string::npos) continue;
    here->emplace(stripped(line.substr(0, equals)), stripped(line.substr(equals + 1)));
  }
}

Profiles profiles_of_machine() {
  const std::string directory = variable("HOME") + "/.aws/";
  Profiles all;
  for (const auto& [name, preset] :
       {std::pair{"AWS_SHARED_CREDENTIALS_FILE", "credentials"}, std::pair{"AWS_CONFIG_FILE", "config"}}) {
    const std::string given = variable(name);
    read_profiles(read_file(given.empty() ? directory + preset : given), all);
  }
  return all;
}

std::string chosen_profile() {
  const std::string given = variable("AWS_PROFILE");
  return given.empty() ? "default" : given;
}

}  // namespace fs_s3
