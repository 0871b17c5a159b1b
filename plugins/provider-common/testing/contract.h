// SPDX-License-Identifier: Apache-2.0
//
// What every provider must do is tested by contract_test.cpp, which each provider's test program takes in; its own test
// file defines make_rig(): an empty, prepared store.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "provider-common/testing/rig.h"

std::unique_ptr<provider_common::testing::Rig> make_rig();

namespace provider_common::testing {

using Names = std::vector<std::string>;

inline Json person(std::string_view permissions = R"({"/": ["*"]})") {
  return {{"permissions", Json::parse(permissions)}};
}

}  // namespace provider_common::testing
