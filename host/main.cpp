// SPDX-License-Identifier: Apache-2.0
//
// The executable `sallyport`. What escapes every other net ends here with a message instead of a core dump.
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "host/cli/cli.h"

int main(int argc, char** argv) {
  try {
    return host::cli::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "Error: %s\n", error.what());
    return EXIT_FAILURE;
  }
}
