// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace object_common {

// True: whoever asked is gone or out of time, give up. Any thread; quick.
using Stop = std::function<bool()>;

}  // namespace object_common
