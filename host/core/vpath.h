// SPDX-License-Identifier: Apache-2.0
//
// Paths as clients see them. A VirtualPath is absolute, '/'-separated and clean: no ".", "..", "//" or trailing '/'
// except in "/" itself. Bytes are not interpreted. BackendPath is what a storage plugin gets: same form, but relative
// to one mount; the two types never mix.
#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace host::core {

class VirtualPath {
 public:
  VirtualPath() = default;

  // Lexical clean-up; a relative text is taken from `base`. ".." stops at "/". Bytes after a NUL would be lost on the
  // way to an operating system: callers refuse such texts first (has_nul).
  static VirtualPath clean(std::string_view text) { return clean(text, VirtualPath()); }
  static VirtualPath clean(std::string_view text, const VirtualPath& base);
  static bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

  const std::string& str() const { return text_; }
  bool is_root() const { return text_.size() == 1; }
  std::string_view name() const;  // last component, "" for "/"
  VirtualPath parent() const;     // "/" for "/"
  VirtualPath child(std::string_view component) const;
  bool is_within(const VirtualPath& ancestor) const;  // itself counts; whole components are compared
  // The rest below `ancestor` as an absolute path ("/" when equal); call only when is_within(ancestor).
  std::string below(const VirtualPath& ancestor) const;

  friend auto operator<=>(const VirtualPath&, const VirtualPath&) = default;

 private:
  std::string text_ = "/";
};

struct BackendPath {
  std::string text = "/";
};

}  // namespace host::core
