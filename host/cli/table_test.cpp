// SPDX-License-Identifier: Apache-2.0
#include "host/cli/table.h"

#include <gtest/gtest.h>

namespace host::cli {
namespace {

TEST(Table, AlignsColumns) {
  EXPECT_EQ(format_table({{"NAME", "X"}, {"a", "b"}, {"longer", ""}}), "NAME    X\na       b\nlonger\n");
}

TEST(Table, CountsCodePointsAndTamesControls) {
  EXPECT_EQ(format_table({{"\xC3\xA4\xC3\xB6", "1"}, {"ab", "2"}, {"\x1b[", "3"}}),
            "\xC3\xA4\xC3\xB6  1\nab  2\n?[  3\n");
}

}  // namespace
}  // namespace host::cli
