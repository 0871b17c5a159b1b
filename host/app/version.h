// SPDX-License-Identifier: Apache-2.0
//
// What this build calls itself.
#pragma once

#include <string>

namespace host::app {

// "0.1.0", followed by "-commit" and "-date" where the build was given SALLYPORT_COMMIT and SALLYPORT_BUILD_DATE.
std::string version();
std::string commit();      // empty when the build was not told
std::string build_date();  // the same

// "Sallyport_0.1.0": the SSH identification when none is configured.
std::string default_software();

}  // namespace host::app
