/* SPDX-License-Identifier: Apache-2.0
 *
 * The one symbol a plugin exports, and what it describes.
 *
 * Trust: a plugin runs inside the host's process with all of the host's rights. Load only what you would run as the
 * host itself. The checks at load time guard against accidents, not against malice.
 */
#ifndef SALLYPORT_PLUGIN_H
#define SALLYPORT_PLUGIN_H

#include "host.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SP_KIND_STORAGE 1u
#define SP_KIND_PROVIDER 2u
#define SP_KIND_AUTH 3u
#define SP_KIND_NOTIFIER 4u
#define SP_KIND_SERVICE 5u

/* One thing a plugin can make. A plugin may have several factories of the same or of different kinds. */
typedef struct sp_factory {
  uint32_t struct_size;
  uint32_t kind;     /* SP_KIND_* */
  uint32_t kind_abi; /* SP_STORAGE_ABI and so on, as compiled */
  uint32_t flags;    /* 0 */
  const char *type;  /* the word used in configuration, e.g. "fs-local"; static */
  const char *summary; /* one line for people; static */

  /* Static JSON text: the subset of JSON Schema that docs/plugin-config.md lists. The host checks settings against
   * it and fills in defaults before create sees them; members marked writeOnly are secrets. */
  const char *config_schema;

  /* Storage only: the same for the settings of one user (the user's `filesystem` record); NULL when there are none. */
  const char *user_schema;

  /* Makes one configured object: sp_storage *, sp_provider *, sp_authenticator *, sp_notifier * or sp_service *
   * by kind. config is one JSON object. [setup] */
  sp_status(SP_CALL *create)(const sp_host *, sp_str config, void **out_object, sp_error *) SP_NOEXCEPT;
} sp_factory;

typedef struct sp_plugin {
  uint32_t struct_size;
  uint32_t abi;          /* SP_ABI as compiled */
  uint32_t min_host_abi; /* the oldest host this plugin runs in */
  uint32_t flags;        /* 0 */
  const char *id;        /* reverse domain name, e.g. "org.sallyport.fs-local" */
  const char *name;      /* short name, equal to the file name without its ending */
  const char *version;
  const char *vendor;
  const sp_factory *const *factories; /* NULL-terminated array of pointers */

  /* Called once after loading, before any create; NULL when there is nothing to do. [setup] */
  sp_status(SP_CALL *init)(const sp_host *, sp_error *) SP_NOEXCEPT;

  /* Called once when the host stops, after every object is destroyed. The library stays mapped. [setup] */
  void(SP_CALL *deinit)(void) SP_NOEXCEPT;

  /* Optional features of the plugin as a whole, by id; may be NULL. [any-thread] */
  const void *(SP_CALL *extension)(const char *id)SP_NOEXCEPT;
} sp_plugin;

typedef const sp_plugin *(SP_CALL *sp_plugin_v1_fn)(void);

#define SP_PLUGIN_SYMBOL "sp_plugin_v1"

/* Returns a static table. Must not throw, block or start threads. [setup] */
SP_EXPORT const sp_plugin *SP_CALL sp_plugin_v1(void) SP_NOEXCEPT;

#ifdef __cplusplus
}
#endif
#endif
