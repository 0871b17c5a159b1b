// SPDX-License-Identifier: Apache-2.0
//
// Administration gives way to file transfers when there are not enough processors for both.
#pragma once

namespace admin_http {

// The calling thread, from now on; also names it for those who look at threads. A system without priorities of threads
// changes nothing.
void work_in_background();

}  // namespace admin_http
