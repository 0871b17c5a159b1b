// SPDX-License-Identifier: Apache-2.0
//
// Lexical path work only; nothing here touches a file system. Any thread.
#include "host/core/vpath.h"

namespace host::core {

VirtualPath VirtualPath::clean(std::string_view text, const VirtualPath& base) {
  VirtualPath out;
  const bool absolute = !text.empty() && text.front() == '/';
  std::string path = absolute ? std::string() : base.is_root() ? std::string() : base.text_;
  while (!text.empty()) {
    const auto slash = text.find('/');
    const auto part = text.substr(0, slash);
    text = slash == std::string_view::npos ? std::string_view() : text.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      path.resize(path.empty() ? 0 : path.rfind('/'));
      continue;
    }
    path += '/';
    path += part;
  }
  if (!path.empty()) out.text_ = std::move(path);
  return out;
}

std::string_view VirtualPath::name() const { return std::string_view(text_).substr(text_.rfind('/') + 1); }

VirtualPath VirtualPath::parent() const {
  VirtualPath out;
  const auto slash = text_.rfind('/');
  if (slash > 0) out.text_ = text_.substr(0, slash);
  return out;
}

VirtualPath VirtualPath::child(std::string_view component) const { return clean(component, *this); }

bool VirtualPath::is_within(const VirtualPath& ancestor) const {
  if (ancestor.is_root()) return true;
  return text_.starts_with(ancestor.text_) &&
         (text_.size() == ancestor.text_.size() || text_[ancestor.text_.size()] == '/');
}

std::string VirtualPath::below(const VirtualPath& ancestor) const {
  if (ancestor.is_root()) return text_;
  if (text_.size() == ancestor.text_.size()) return "/";
  return text_.substr(ancestor.text_.size());
}

}  // namespace host::core
