/* SPDX-License-Identifier: Apache-2.0
 *
 * Authenticator plugins: decide about a login in one or more rounds, before or instead of the host's own check.
 */
#ifndef SALLYPORT_AUTH_H
#define SALLYPORT_AUTH_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sp_authenticator { const struct sp_authenticator_ops *ops; } sp_authenticator;
typedef struct sp_conversation { const struct sp_conversation_ops *ops; } sp_conversation;

#define SP_AUTH_PASSWORD 1u
#define SP_AUTH_PUBLIC_KEY 2u
#define SP_AUTH_KEYBOARD 4u

/* One attempt. The secret is borrowed and must be neither kept nor logged. */
typedef struct sp_auth_request {
  uint32_t struct_size;
  uint32_t method; /* one SP_AUTH_* */
  sp_str user;
  sp_str address;   /* client address without port */
  sp_bytes secret;  /* password; empty for the other methods */
  sp_str public_key; /* authorized_keys form; empty for the other methods */
  sp_str user_json; /* the stored user, empty when there is none */
} sp_auth_request;

#define SP_AUTH_NEXT 0u   /* no opinion: the next authenticator, at last the host, decides */
#define SP_AUTH_ALLOW 1u  /* let in */
#define SP_AUTH_DENY 2u   /* refuse; nobody else is asked */
#define SP_AUTH_ASK 3u    /* questions follow; only for SP_AUTH_KEYBOARD */
#define SP_AUTH_UPDATED 4u /* no decision, but the user in the result is to be stored before others decide */

/* Receives the outcome of begin or step. */
typedef struct sp_auth_sink {
  void *ctx;
  /* ASK: {"instruction", "questions": [], "echos": []}; with "check_password": 1 and one question the host compares
   * the answer with the stored password and hands on "OK", or refuses. ALLOW and UPDATED: the user as JSON, empty when
   * unchanged. With "username" in it, which must be the one that logs in, it is a whole user, and one that is not
   * there yet is added; without, members that are absent stay as they are. */
  sp_status(SP_CALL *result)(void *ctx, uint32_t decision, sp_str json) SP_NOEXCEPT;
} sp_auth_sink;

typedef struct sp_conversation_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* The answers to the last questions, in order. [serial] */
  sp_status(SP_CALL *step)(sp_conversation *, const sp_op *, const sp_str *answers, size_t count, const sp_auth_sink *,
                           sp_error *) SP_NOEXCEPT;
  /* Ends it at any point. [exclusive] */
  void(SP_CALL *end)(sp_conversation *) SP_NOEXCEPT;
} sp_conversation_ops;

typedef struct sp_authenticator_ops {
  uint32_t struct_size;
  uint32_t methods; /* SP_AUTH_* bits it wants to see */
  /* [exclusive] */
  void(SP_CALL *destroy)(sp_authenticator *) SP_NOEXCEPT;
  /* Answers through the sink. *out is set only with ASK. [worker] */
  sp_status(SP_CALL *begin)(sp_authenticator *, const sp_op *, const sp_auth_request *, const sp_auth_sink *,
                            sp_conversation **out, sp_error *) SP_NOEXCEPT;
  const void *(SP_CALL *extension)(sp_authenticator *, const char *id)SP_NOEXCEPT;
} sp_authenticator_ops;

#ifdef __cplusplus
}
#endif
#endif
