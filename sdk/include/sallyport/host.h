/* SPDX-License-Identifier: Apache-2.0
 *
 * What the host offers to a plugin. The table is valid from init (or create) until deinit returns.
 */
#ifndef SALLYPORT_HOST_H
#define SALLYPORT_HOST_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SP_LOG_DEBUG 0u
#define SP_LOG_INFO 1u
#define SP_LOG_WARN 2u
#define SP_LOG_ERROR 3u

typedef struct sp_host {
  uint32_t struct_size;
  uint32_t abi; /* SP_ABI of the host */
  void *ctx;    /* the host's own */
  const char *name;    /* "sallyport" */
  const char *version; /* product version */

  /* Writes one line to the operator's log, never blocking on it. component appears as the line's sender.
   * [any-thread] */
  void(SP_CALL *log)(const struct sp_host *, uint32_t level, sp_str component, sp_str text) SP_NOEXCEPT;

  /* 1 when a line of this level would be written. [any-thread] */
  uint32_t(SP_CALL *log_enabled)(const struct sp_host *, uint32_t level) SP_NOEXCEPT;

  /* 1 when the operation should be given up: its session is gone or its deadline has passed. [any-thread] */
  uint32_t(SP_CALL *cancelled)(const struct sp_host *, const sp_op *) SP_NOEXCEPT;

  /* A further host service by id ("host.users/1"), or NULL when this host has none of that name. The table lives
   * as long as the host table. [any-thread] */
  const void *(SP_CALL *extension)(const struct sp_host *, const char *id)SP_NOEXCEPT;
} sp_host;

#ifdef __cplusplus
}
#endif
#endif
