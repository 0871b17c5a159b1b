/* SPDX-License-Identifier: Apache-2.0
 *
 * Is whole, but its create fails and says why.
 */
#include <string.h>

#include "common.h"

static sp_status create(const sp_host *host, sp_str config, void **out, sp_error *error) {
  (void)host, (void)config, (void)out;
  error->status = SP_E_NOT_FOUND;
  error->native_code = 2;
  strncpy(error->message, "the bucket is not there", sizeof error->message - 1);
  return SP_E_NOT_FOUND;
}
static const sp_factory factory = STORAGE_FACTORY("bad-create", SP_STORAGE_ABI, create);
static const sp_factory *const factories[] = {&factory, NULL};
static const sp_plugin plugin = PLUGIN(SP_ABI, "bad-create", factories, NULL);

const sp_plugin *SP_CALL sp_plugin_v1(void) { return &plugin; }
