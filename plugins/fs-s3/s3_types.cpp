// SPDX-License-Identifier: Apache-2.0
//
// Pure functions over headers and names. Any thread.
#include "s3_types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace fs_s3 {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::size_t kFractionDigits = 9;
constexpr std::string_view kMtime = "x-amz-meta-mtime";
constexpr std::string_view kStorageClass = "x-amz-storage-class";
constexpr std::string_view kMetadata = "x-amz-meta-";
constexpr std::array<std::string_view, 6> kKept{"cache-control",    "content-disposition", "content-encoding",
                                                "content-language", "content-type",        "expires"};

template <class Number>
bool parse(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string Bucket::service() const {
  std::string text = endpoint.authority();
  if (!in_path && text.starts_with(name + ".")) text.erase(0, name.size() + 1);
  return text;
}

std::string content_type_of(std::string_view key) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".txt", "text/plain"},        {".html", "text/html"},      {".htm", "text/html"},
      {".css", "text/css"},          {".csv", "text/csv"},        {".xml", "application/xml"},
      {".json", "application/json"}, {".js", "text/javascript"},  {".pdf", "application/pdf"},
      {".zip", "application/zip"},   {".gz", "application/gzip"}, {".png", "image/png"},
      {".jpg", "image/jpeg"},        {".jpeg", "image/jpeg"},     {".gif", "image/gif"},
      {".svg", "image/svg+xml"},     {".webp", "image/webp"},     {".mp3", "audio/mpeg"},
      {".mp4", "video/mp4"},         {".webm", "video/webm"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (key.ends_with(ending)) return std::string(type);
  }
  return "application/octet-stream";
}

Nature nature_in(const std::map<std::string, std::string>& headers) {
  Nature nature;
  for (const auto& [name, value] : headers) {
    const bool kept = name == kStorageClass || name.starts_with(kMetadata) ||
                      std::ranges::find(kKept, std::string_view(name)) != kKept.end();
    if (kept && !value.empty()) nature[name] = value;
  }
  return nature;
}

void keep_mtime(Nature& nature, std::int64_t mtime_ns) {
  std::int64_t seconds = mtime_ns / kSecondNs, rest = mtime_ns % kSecondNs;
  const bool before_1970 = mtime_ns < 0;
  std::string text = (before_1970 ? "-" : "") + std::to_string(before_1970 ? -seconds : seconds);
  if (rest != 0) {
    const std::string digits = std::to_string(before_1970 ? -rest : rest);
    text += "." + std::string(kFractionDigits - digits.size(), '0') + digits;
    text.erase(text.find_last_not_of('0') + 1);
  }
  nature[std::string(kMtime)] = text;
}

void forget_mtime(Nature& nature) { nature.erase(std::string(kMtime)); }

std::optional<std::int64_t> kept_mtime(const Nature& nature) {
  const auto found = nature.find(std::string(kMtime));
  if (found == nature.end()) return std::nullopt;
  std::string_view text = found->second;
  const bool before_1970 = text.starts_with('-');
  if (before_1970) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  constexpr std::int64_t kMaxSeconds = INT64_MAX / kSecondNs - 1;
  std::int64_t seconds = 0, rest = 0;
  if (!parse(text.substr(0, point), seconds) || seconds < 0 || seconds > kMaxSeconds) return std::nullopt;
  if (point < text.size()) {
    std::string digits(text.substr(point + 1, kFractionDigits));
    digits.resize(kFractionDigits, '0');
    if (!parse(digits, rest) || rest < 0) return std::nullopt;
  }
  const std::int64_t ns = seconds * kSecondNs + rest;
  return before_1970 ? -ns : ns;
}

}  // namespace fs_s3
