// SPDX-License-Identifier: Apache-2.0
//
// The three hooks. Each answers through the sink, or fails, which refuses the login. Any thread.
#pragma once

#include <sallyport/cpp/auth.hpp>

#include <atomic>

#include "cache.h"
#include "target.h"

namespace auth_external {

sallyport::Outcome<void> ask_external(Target& target, Cache& cache, const sp_op& op, const sp_auth_request& request,
                                      sallyport::AuthSink sink);
sallyport::Outcome<void> ask_pre_login(Target& target, const sp_op& op, const sp_auth_request& request,
                                       sallyport::AuthSink sink);

// Open conversations, and those of them with names that have no account.
struct Conversations {
  std::atomic<std::size_t> all = 0, strangers = 0;
};

// `open`: conversations there are; outlives them.
sallyport::Outcome<sallyport::ConversationPtr> ask_keyboard(Target& target, Conversations& open, const sp_op& op,
                                                            const sp_auth_request& request, sallyport::AuthSink sink);

}  // namespace auth_external
