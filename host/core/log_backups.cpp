// SPDX-License-Identifier: Apache-2.0
//
// Names, compression and removal of rotated log files. Runs on the log's tidy-up worker; a file that cannot be handled
// stays for the next round, because a log that complains about itself helps nobody.
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <map>
#include <vector>

#include "host/core/log_sink.h"

namespace host::core::log {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGzip = ".gz";
constexpr std::string_view kStampShape = "0000-00-00T00-00-00.000";  // UTC; sorts as time does

std::string stamp_of(std::chrono::system_clock::time_point when) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count();
  const auto second = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&second, &parts);
  std::array<char, 40> day{};
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H-%M-%S", &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s.%03d", day.data(), static_cast<int>(ms % 1000));
  return text.data();
}

bool is_stamp(std::string_view text) {
  return text.size() == kStampShape.size() &&
         std::equal(text.begin(), text.end(), kStampShape.begin(), [](char found, char shape) {
           return shape == '0' ? found >= '0' && found <= '9' : found == shape;
         });
}

// Stamp -> files of that backup (plain, compressed or both).
using Backups = std::map<std::string, std::vector<fs::path>>;

Backups find_backups(const fs::path& path) {
  Backups found;
  const std::string prefix = path.stem().string() + "-", suffix = path.extension().string();
  const auto directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(directory, failed)) {
    const std::string name = entry.path().filename().string();
    std::string_view rest = name;
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size());
    if (rest.ends_with(kGzip)) rest.remove_suffix(kGzip.size());
    if (!rest.ends_with(suffix)) continue;
    rest.remove_suffix(suffix.size());
    if (is_stamp(rest)) found[std::string(rest)].push_back(entry.path());
  }
  return found;
}

bool copy_compressed(int from, gzFile to) {
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count <= 0) return count == 0;
    if (gzwrite(to, buffer.data(), static_cast<unsigned>(count)) != count) return false;
  }
}

// Leaves either the plain file or the complete compressed one, whenever the process dies.
void compress(const fs::path& plain) {
  const fs::path target = plain.string() + std::string(kGzip);
  const fs::path unfinished = target.string() + ".part";
  const int from = ::open(plain.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return;
  const int to = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  const gzFile stream = to < 0 ? nullptr : gzdopen(to, "wb");
  bool good = stream != nullptr && copy_compressed(from, stream);
  if (stream != nullptr) {
    good = gzclose(stream) == Z_OK && good;
  } else if (to >= 0) {
    ::close(to);
  }
  ::close(from);
  std::error_code failed;
  if (good) fs::rename(unfinished, target, failed);
  fs::remove(good && !failed ? plain : unfinished, failed);
}

}  // namespace

fs::path backup_path(const fs::path& path, std::chrono::system_clock::time_point when) {
  auto name = path.stem();
  name += "-" + stamp_of(when);
  name += path.extension();
  return path.parent_path() / name;
}

void tidy_backups(const RotationOptions& options, std::chrono::system_clock::time_point now) {
  const auto oldest_kept = stamp_of(now - std::chrono::hours(24) * options.max_age_days);
  const auto backups = find_backups(options.path);
  std::size_t kept = 0;
  for (auto newest_first = backups.rbegin(); newest_first != backups.rend(); ++newest_first) {
    const auto& [stamp, files] = *newest_first;
    const bool surplus = options.max_backups > 0 && kept >= options.max_backups;
    const bool expired = options.max_age_days > 0 && stamp < oldest_kept;
    if (!surplus && !expired) ++kept;
    for (const auto& file : files) {
      std::error_code failed;
      if (surplus || expired) {
        fs::remove(file, failed);
      } else if (options.compress && file.extension() != kGzip) {
        compress(file);
      }
    }
  }
}

}  // namespace host::core::log
