// SPDX-License-Identifier: Apache-2.0
//
// From errno to the words of the ABI.
#pragma once

#include <sallyport/cpp/base.hpp>
#include <string_view>

namespace fs_local {

sp_status status_of(int error);

// "what path: text of errno", from the errno of the call just made.
sallyport::Failure failed(std::string_view what, std::string_view path);

// The same after a step of path resolution, where EXDEV means that the path leaves the home.
sallyport::Failure unresolved(std::string_view what, std::string_view path);

// A failure that no system call reported.
sallyport::Failure refused(sp_status status, std::string_view what, std::string_view path, std::string_view why);

}  // namespace fs_local
