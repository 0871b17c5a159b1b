/* SPDX-License-Identifier: Apache-2.0
 *
 * Its storage is built for another draft of the storage ABI.
 */
#include "common.h"

static sp_status create(const sp_host *host, sp_str config, void **out, sp_error *error) {
  (void)host, (void)config, (void)out, (void)error;
  return SP_E_INTERNAL;
}
static const sp_factory factory = STORAGE_FACTORY("bad-kind", SP_STORAGE_ABI + 7, create);
static const sp_factory *const factories[] = {&factory, NULL};
static const sp_plugin plugin = PLUGIN(SP_ABI, "bad-kind", factories, NULL);

const sp_plugin *SP_CALL sp_plugin_v1(void) { return &plugin; }
