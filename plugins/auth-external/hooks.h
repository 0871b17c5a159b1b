// SPDX-License-Identifier: Apache-2.0
//
// The three hooks. Each answers through the sink, or fails, which refuses the login. Any thread.
#pragma once

#include <sallyport/cpp/auth.hpp>

#include "cache.h"
#include "places.h"
#include "target.h"

namespace auth_external {

sallyport::Outcome<void> ask_external(Target& target, Cache& cache, const sp_op& op, const sp_auth_request& request,
                                      sallyport::AuthSink sink);
sallyport::Outcome<void> ask_pre_login(Target& target, const sp_op& op, const sp_auth_request& request,
                                       sallyport::AuthSink sink);

// `places`: of conversations.
sallyport::Outcome<sallyport::ConversationPtr> ask_keyboard(Target& target, Places& places, const sp_op& op,
                                                            const sp_auth_request& request, sallyport::AuthSink sink);

}  // namespace auth_external
