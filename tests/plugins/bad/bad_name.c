/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls itself otherwise than its file.
 */
#include "common.h"

static sp_status create(const sp_host *host, sp_str config, void **out, sp_error *error) {
  (void)host, (void)config, (void)out, (void)error;
  return SP_E_INTERNAL;
}
static const sp_factory factory = STORAGE_FACTORY("fs-other", SP_STORAGE_ABI, create);
static const sp_factory *const factories[] = {&factory, NULL};
static const sp_plugin plugin = PLUGIN(SP_ABI, "fs-other", factories, NULL);

const sp_plugin *SP_CALL sp_plugin_v1(void) { return &plugin; }
