/* SPDX-License-Identifier: Apache-2.0
 *
 * Data provider plugins: small record stores. The host owns the meaning of records; a provider stores JSON objects
 * by collection and key, and knows only what the host declared in prepare.
 */
#ifndef SALLYPORT_PROVIDER_H
#define SALLYPORT_PROVIDER_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sp_provider { const struct sp_provider_ops *ops; } sp_provider;

#define SP_PREPARE_OPEN 0u   /* the store must exist; older layouts are migrated */
#define SP_PREPARE_CREATE 1u /* create what is missing, leave the rest alone */
#define SP_PREPARE_LOOK 2u   /* would SP_PREPARE_OPEN succeed? Changes and makes nothing; only check may follow */

#define SP_PUT_INSERT 1u /* SP_E_EXISTS when the key is there */
#define SP_PUT_UPDATE 2u /* SP_E_NOT_FOUND when it is not; members left out keep their value */

/* Receives one record at a time: a JSON object. Not SP_OK: stop and return that status. */
typedef struct sp_record_sink {
  void *ctx;
  sp_status(SP_CALL *add)(void *ctx, sp_str record_json) SP_NOEXCEPT;
} sp_record_sink;

/* The declarations handed to prepare (schema in sdk/schema/collections.json):
 *   {"version": 2, "collections": [{"name": "users", "table": "users", "key": "username", "columns": [
 *      {"name": "id", "type": "int64", "auto": true}, {"name": "username", "type": "text", "size": 255, "unique": true},
 *      {"name": "filters", "type": "json", "nullable": true, "since": 2},
 *      {"name": "used_quota_size", "type": "int64", "counter": true, "default": 0}]}]}
 * Types: int64, text, json (any JSON value, stored as its text). Every member of a record is a declared column;
 * another one is SP_E_INVALID. `since` is the schema version that brought a column: migration adds it. `version` is
 * kept in the store (SQL: table schema_version). `auto` columns are given by the store on insert.
 *
 * A query for list: {"collection", "order": "asc" | "desc" (by key), "limit", "offset", "where": {"column": value},
 * "after": key}; all but collection optional, limit 0 or absent means all. `after` leaves out that key, which need not
 * be there, and what the order has before it. */
typedef struct sp_provider_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* [exclusive] */
  void(SP_CALL *destroy)(sp_provider *) SP_NOEXCEPT;
  /* Called once before anything else. mode: SP_PREPARE_*, and SP_E_INVALID for one that is not known: it may be
   * one that must change nothing. *changed is 1 when something was created or migrated, and after SP_PREPARE_LOOK when
   * it would be. SP_E_NOT_FOUND when the store is not initialised. [setup] */
  sp_status(SP_CALL *prepare)(sp_provider *, sp_str collections_json, uint32_t mode, uint32_t *changed,
                              sp_error *) SP_NOEXCEPT;
  /* Is the store reachable? [worker] */
  sp_status(SP_CALL *check)(sp_provider *, const sp_op *, sp_error *) SP_NOEXCEPT;
  /* One record, delivered in one part. SP_E_NOT_FOUND when there is none. [worker] */
  sp_status(SP_CALL *get)(sp_provider *, const sp_op *, sp_str collection, sp_str key, const sp_record_sink *,
                          sp_error *) SP_NOEXCEPT;
  /* mode: SP_PUT_*. [worker] */
  sp_status(SP_CALL *put)(sp_provider *, const sp_op *, sp_str collection, sp_str key, uint32_t mode,
                          sp_str record_json, sp_error *) SP_NOEXCEPT;
  /* [worker] */
  sp_status(SP_CALL *remove)(sp_provider *, const sp_op *, sp_str collection, sp_str key, sp_error *) SP_NOEXCEPT;
  /* [worker] */
  sp_status(SP_CALL *list)(sp_provider *, const sp_op *, sp_str query_json, const sp_record_sink *,
                           sp_error *) SP_NOEXCEPT;
  /* Adds to counter columns of one record, all or none, atomically against every other writer of the store.
   * [worker] */
  sp_status(SP_CALL *add)(sp_provider *, const sp_op *, sp_str collection, sp_str key, const sp_delta *deltas,
                          size_t count, sp_error *) SP_NOEXCEPT;
  /* Drops caches and reads its source again (SIGHUP): all of it, or nothing has changed. NULL or SP_E_UNSUPPORTED when
   * there is nothing to reload. [worker] */
  sp_status(SP_CALL *reload)(sp_provider *, sp_error *) SP_NOEXCEPT;
  const void *(SP_CALL *extension)(sp_provider *, const char *id)SP_NOEXCEPT;
} sp_provider_ops;

#ifdef __cplusplus
}
#endif
#endif
