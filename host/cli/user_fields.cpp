// SPDX-License-Identifier: Apache-2.0
//
// Flags -> JSON. What values mean and whether they are allowed is decided by host/users, for every way in alike.
#include "host/cli/user_fields_json.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "host/cli/password_input.h"
#include "host/config/format_json.h"
#include "host/core/limits.h"
#include "host/users/validate.h"

namespace host::cli {
namespace {

using core::Error;
using core::Result;
using core::Status;
using Json = nlohmann::ordered_json;

Result<std::string> read_all(std::istream& in, const std::string& source) {
  std::string text(core::limits::kMaxUserRecordBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return Error(Status::kIo, source + ": cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > core::limits::kMaxUserRecordBytes)
    return Error(Status::kInvalid, source + ": too long for an account");
  return text;
}

Result<std::string> read_file(const char* option, const std::string& file) {
  if (file.empty()) return Error(Status::kInvalid, std::string(option) + ": found \"\", allowed is the name of a file");
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(Status::kNotFound, file + ": cannot be read");
  return read_all(in, file);
}

Result<Json> read_json(const std::string& file) {
  const auto text = file == "-" ? read_all(std::cin, "standard input") : read_file("--json", file);
  if (!text) return text.error();
  const std::string source = file == "-" ? "standard input" : file;
  try {
    auto json = Json::parse(*text);
    if (!json.is_object()) return Error(Status::kInvalid, source + ": holds no JSON object");
    return Result<Json>(boost::system::in_place_value, std::move(json));
  } catch (const Json::parse_error& mistake) {  // its own text may show a part of a password
    return Error(Status::kInvalid, source + ": no valid JSON at " + config::place(*text, mistake.byte));
  }
}

Result<Json> all_keys(const UserFields& fields) {
  Json keys = fields.public_keys;
  for (const auto& file : fields.public_key_files) {
    const auto text = read_file("--public-key-file", file);
    if (!text) return text.error();
    std::size_t found = 0;
    for (std::size_t at = 0; at < text->size();) {
      const auto end = std::min(text->find('\n', at), text->size());
      auto line = text->substr(at, end - at);
      at = end + 1;
      line.erase(line.find_last_not_of(" \t\r") + 1);
      if (line.empty() || line.front() == '#') continue;
      keys.push_back(std::move(line));
      ++found;
    }
    if (found == 0) return Error(Status::kInvalid, file + ": holds no public key");
  }
  return Result<Json>(boost::system::in_place_value, std::move(keys));
}

Result<std::string> password_of(const UserFields& fields) {
  if (fields.password_stdin && fields.json_file == "-") {
    return Error(Status::kInvalid, "standard input cannot be both the password and the account");
  }
  return fields.password_stdin ? password_from_stdin() : password_from_file(*fields.password_file);
}

}  // namespace

bool is_empty(const UserFields& fields) {
  return !fields.home_dir && !fields.password_file && !fields.expiration_date && !fields.json_file &&
         !fields.password_stdin && fields.public_keys.empty() && fields.public_key_files.empty() &&
         fields.permissions.empty() && !fields.uid && !fields.gid && !fields.status;
}

Error in_options(Error refusal, const UserFields& fields) {
  // The more special first: one text may hold several of the words.
  constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"missing: username", "NAME"},
      {"please set a password", "--password-stdin, --password-file, --public-key, --public-key-file"},
      {"could not parse key", "--public-key, --public-key-file"},
      {"invalid permission:",
       "--permissions; there are *, list, download, upload, overwrite, rename, delete, create_dirs, create_symlinks, "
       "chmod, chown, chtimes"},
      {"the root dir \"/\" must be set", "--permissions /=...; all rights are given at once"},
      {"permission", "--permissions"},
      {"user status", "--status 1 or 0"},
      {"home", "--home-dir"},
  };
  if (fields.json_file || !refusal.text.starts_with(users::kValidationPrefix)) return refusal;
  for (const auto& [words, options] : kRows) {
    if (refusal.text.find(words) == std::string::npos) continue;
    refusal.text += " (" + std::string(options) + ")";
    break;
  }
  return refusal;
}

Result<Json> parse_permissions(const std::vector<std::string>& texts) {
  Json all = Json::object();
  for (const auto& text : texts) {
    const auto equals = text.rfind('=');
    if (equals == std::string::npos || text.front() != '/') {
      return Error(Status::kInvalid, "--permissions: found \"" + text +
                                         "\", allowed is DIRECTORY=RIGHT,RIGHT... such as /=list,download");
    }
    Json rights = Json::array();
    for (std::size_t at = equals + 1; at < text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      if (end > at) rights.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    all[text.substr(0, equals)] = std::move(rights);
  }
  return Result<Json>(boost::system::in_place_value, std::move(all));
}

Result<std::int64_t> parse_expiration(const std::string& text) {
  if (text.empty()) return 0;
  int year = 0, end = 0;
  unsigned month = 0, day = 0;
  const bool shaped =
      text.size() == 10 && std::sscanf(text.c_str(), "%4d-%2u-%2u%n", &year, &month, &day, &end) == 3 && end == 10;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
  const auto since_1970 = std::chrono::sys_days(date).time_since_epoch();
  // What is not above 0 would mean: never.
  if (!shaped || !date.ok() || since_1970.count() <= 0) {
    return Error(Status::kInvalid, "--expiration-date: found \"" + text +
                                       "\", allowed is YYYY-MM-DD from 1970-01-02, or nothing for never");
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(since_1970).count();
}

std::string expiration_text(std::int64_t ms) {
  if (ms <= 0) return "never";
  const auto days = std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(ms)));
  const std::chrono::year_month_day date(days);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
  return text;
}

Result<Json> to_json(const UserFields& fields) {
  Json json = Json::object();
  if (fields.json_file) {
    auto base = read_json(*fields.json_file);
    if (!base) return base.error();
    json = std::move(*base);
  }
  if (fields.home_dir)
    json["home_dir"] =
        fields.home_dir->empty() ? "" : std::filesystem::absolute(*fields.home_dir).lexically_normal().string();
  if (fields.uid) json["uid"] = *fields.uid;
  if (fields.gid) json["gid"] = *fields.gid;
  if (fields.status) json["status"] = *fields.status;
  if (fields.expiration_date) {
    const auto expiration = parse_expiration(*fields.expiration_date);
    if (!expiration) return expiration.error();
    json["expiration_date"] = *expiration;
  }
  if (!fields.permissions.empty()) {
    auto permissions = parse_permissions(fields.permissions);
    if (!permissions) return permissions.error();
    json["permissions"] = std::move(*permissions);
  }
  if (!fields.public_keys.empty() || !fields.public_key_files.empty()) {
    auto keys = all_keys(fields);
    if (!keys) return keys.error();
    json["public_keys"] = std::move(*keys);
  }
  if (fields.password_stdin || fields.password_file) {
    const auto password = password_of(fields);
    if (!password) return password.error();
    json["password"] = *password;
  }
  return Result<Json>(boost::system::in_place_value, std::move(json));
}

}  // namespace host::cli
