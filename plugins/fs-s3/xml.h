// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace fs_s3 {

// Called at the end of each element: its names from the outermost on ("ListBucketResult/Contents/Key"), without
// namespaces, and the text directly in it, with control characters where a key has any.
using XmlEnd = std::function<void(std::string_view path, const std::string& text)>;

// False: not XML, or more of it than any store has reason to send. Document types are refused.
bool parse_xml(const std::string& text, const XmlEnd& at_end);

// The text of that element; empty: there is none, or this is no XML.
std::string xml_element(const std::string& text, std::string_view path);

// For what we send.
std::string xml_escape(std::string_view text);

}  // namespace fs_s3
