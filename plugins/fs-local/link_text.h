// SPDX-License-Identifier: Apache-2.0
//
// How the target of a symbolic link is written on disk and shown to clients.
//
// A relative target is stored as it is. An absolute one means "from the home", and is stored relative to the link, so
// that the kernel and local tools follow it inside the home and the home can be moved: the mark ".//" (which says that
// the client wrote an absolute path), one "../" for each directory between the home and the link, and the target:
//   /x/y/link -> /a/b    on disk    .//../../a/b
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fs_local {

// What to store for `target` in a directory `depth` levels below the home.
std::string stored_target(std::string_view target, std::size_t depth);

// Could it be such a text?
bool is_marked(std::string_view text);

// The absolute target behind a marked text found at that depth; nothing when the text is not marked or, because its
// directory was moved to another depth, does not lead there any more.
std::optional<std::string> marked_target(std::string_view text, std::size_t depth);

// A path without empty parts, "." and ".."; nothing when it climbs above its start. Always begins with '/'.
std::optional<std::string> cleaned(std::string_view path);

// What follows `home` in the absolute path `text`, compared by whole components; nothing when text is elsewhere.
std::optional<std::string_view> below(std::string_view text, std::string_view home);

// Cuts the next component off the front of `path`; empty when there is none.
std::string_view next_part(std::string_view& path);

}  // namespace fs_local
