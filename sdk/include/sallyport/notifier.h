/* SPDX-License-Identifier: Apache-2.0
 *
 * Notifier plugins: told of events after they happened, and, where they ask for it, asked before.
 */
#ifndef SALLYPORT_NOTIFIER_H
#define SALLYPORT_NOTIFIER_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sp_notifier { const struct sp_notifier_ops *ops; } sp_notifier;

/* Events are JSON objects (schema in sdk/schema/event.json) with at least "kind", "username" and "time" in
 * milliseconds since 1970. Events of one user are delivered in their order. */
typedef struct sp_notifier_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* [exclusive] */
  void(SP_CALL *destroy)(sp_notifier *) SP_NOEXCEPT;
  /* 1 when events of this kind ("upload", "pre-upload", "user-add") are wanted; asked once per kind. [any-thread] */
  uint32_t(SP_CALL *wants)(sp_notifier *, sp_str kind) SP_NOEXCEPT;
  /* Tells of something that happened. A failure is logged and not repeated. [worker] */
  sp_status(SP_CALL *notify)(sp_notifier *, const sp_op *, sp_str event_json, sp_error *) SP_NOEXCEPT;
  /* Asks before something happens: SP_OK lets it go on, SP_E_DENIED refuses it. May be NULL. [worker] */
  sp_status(SP_CALL *decide)(sp_notifier *, const sp_op *, sp_str event_json, sp_error *) SP_NOEXCEPT;
  const void *(SP_CALL *extension)(sp_notifier *, const char *id)SP_NOEXCEPT;
} sp_notifier_ops;

#ifdef __cplusplus
}
#endif
#endif
