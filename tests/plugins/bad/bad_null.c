/* SPDX-License-Identifier: Apache-2.0
 *
 * Describes itself with NULL.
 */
#include "common.h"

const sp_plugin *SP_CALL sp_plugin_v1(void) { return NULL; }
