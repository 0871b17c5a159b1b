/* SPDX-License-Identifier: Apache-2.0
 *
 * fs-minimal: the least a storage plugin can be. It is described and can be set up, but mounts nothing. Built by
 * tests/package as a stranger would: a project of its own that has an installed Sallyport and nothing else.
 */
#include <sallyport/abi.h>
#include <stddef.h>
#include <string.h>

static void destroy(sp_storage *self) { (void)self; }

static sp_status mount(sp_storage *self, const sp_op *op, const sp_mount_args *args, sp_fs **out, sp_error *error) {
  (void)self, (void)op, (void)args, (void)out;
  error->status = SP_E_UNSUPPORTED;
  error->native_code = 0;
  error->flags = 0;
  strncpy(error->message, "fs-minimal has no files", sizeof error->message - 1);
  error->message[sizeof error->message - 1] = '\0';
  return SP_E_UNSUPPORTED;
}

static const sp_storage_ops ops = {sizeof(sp_storage_ops), 0, destroy, mount, NULL};

static sp_status create(const sp_host *host, sp_str config, void **out, sp_error *error) {
  static sp_storage storage = {&ops};
  (void)host, (void)config, (void)error;
  *out = &storage;
  return SP_OK;
}

static const sp_factory factory = {
    sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "fs-minimal", "a storage from outside",
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"shelf\": {\"type\": \"string\", "
    "\"description\": \"where nothing is kept\", \"default\": \"empty\"}}}",
    NULL, create};
static const sp_factory *const factories[] = {&factory, NULL};
static const sp_plugin plugin = {sizeof(sp_plugin), SP_ABI, SP_ABI, 0, "org.example.fs-minimal", "fs-minimal", "7.8.9",
                                 "somebody else", factories, NULL, NULL, NULL};

const sp_plugin *SP_CALL sp_plugin_v1(void) { return &plugin; }
