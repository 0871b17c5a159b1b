// SPDX-License-Identifier: Apache-2.0
//
// Version texts from the SDK's number and what the build passed in. Pure functions.
#include "host/app/version.h"

#include <sallyport/version.h>

namespace host::app {

std::string version() {
  std::string text = SALLYPORT_VERSION_STRING;
  for (const std::string part : {SALLYPORT_COMMIT, SALLYPORT_BUILD_DATE}) {
    if (!part.empty()) text += "-" + part;
  }
  return text;
}

std::string commit() { return SALLYPORT_COMMIT; }

std::string build_date() { return SALLYPORT_BUILD_DATE; }

std::string default_software() { return std::string("Sallyport_") + SALLYPORT_VERSION_STRING; }

}  // namespace host::app
