/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes a storage whose required slot mount is NULL.
 */
#include "common.h"

static void destroy(sp_storage *storage) { (void)storage; }
static const sp_storage_ops ops = {sizeof(sp_storage_ops), 0, destroy, NULL, NULL};

static sp_status create(const sp_host *host, sp_str config, void **out, sp_error *error) {
  static sp_storage storage = {&ops};
  (void)host, (void)config, (void)error;
  *out = &storage;
  return SP_OK;
}
static const sp_factory factory = STORAGE_FACTORY("bad-slots", SP_STORAGE_ABI, create);
static const sp_factory *const factories[] = {&factory, NULL};
static const sp_plugin plugin = PLUGIN(SP_ABI, "bad-slots", factories, NULL);

const sp_plugin *SP_CALL sp_plugin_v1(void) { return &plugin; }
