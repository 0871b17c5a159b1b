/* SPDX-License-Identifier: Apache-2.0
 *
 * Words every plugin kind shares: strings, status, error, operation context, attributes, sinks, thread tags.
 *
 * Value structs (sp_str, sp_bytes, sp_delta, sp_sink) are frozen and may sit in arrays. Table structs begin with
 * struct_size, are passed by pointer only and grow at the end only; whoever fills one sets struct_size to the size
 * it was compiled with, and a reader looks at no member beyond it (SP_HAS).
 *
 * Thread tags used in every comment below and in the other headers:
 *   [setup]      one call of a plugin at a time, at start or stop of the host or when it is first wanted; may block
 *   [any-thread] any thread at any time; must return quickly and never block
 *   [worker]     concurrent calls from worker threads; may block; obeys sp_op.deadline_ns
 *   [serial]     like [worker], but one call at a time on the same object
 *   [exclusive]  no other call on that object is running, and none follows
 *
 * Ownership: inputs are borrowed until the call returns. Results go into memory of the caller or through a sink.
 * Objects are freed by their own close, unmount, destroy or end call, which frees even when it reports an error.
 * There is no free function: nothing allocated on one side is released by the other.
 *
 * Exceptions never cross: from C++17 on SP_NOEXCEPT is part of each function pointer's type.
 */
#ifndef SALLYPORT_BASE_H
#define SALLYPORT_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#define SP_CALL __cdecl
#define SP_EXPORT __declspec(dllexport)
#else
#define SP_CALL
#define SP_EXPORT __attribute__((visibility("default")))
#endif
#if defined(__cplusplus) && __cplusplus >= 201703L
#define SP_NOEXCEPT noexcept
#else
#define SP_NOEXCEPT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* UTF-8 unless a comment says "bytes"; not NUL-terminated; borrowed for the call. ptr may be NULL when len is 0. */
typedef struct sp_str {
  const char *ptr;
  size_t len;
} sp_str;

typedef struct sp_bytes {
  const void *ptr;
  size_t len;
} sp_bytes;

/* A status names a meaning, never an errno. Codes a reader does not know count as SP_E_INTERNAL. */
typedef int32_t sp_status;
#define SP_OK 0
#define SP_E_NOT_FOUND 1    /* no such file, record, user */
#define SP_E_DENIED 2       /* the store refuses, or the path leaves its mount */
#define SP_E_EXISTS 3       /* already there */
#define SP_E_NOT_EMPTY 4    /* directory has entries */
#define SP_E_NOT_DIR 5      /* a directory was needed */
#define SP_E_IS_DIR 6       /* something else than a directory was needed */
#define SP_E_UNSUPPORTED 7  /* this store cannot do it, ever */
#define SP_E_INVALID 8      /* malformed argument */
#define SP_E_QUOTA 9        /* a limit set for this user is reached */
#define SP_E_NO_SPACE 10    /* the store is full */
#define SP_E_BUSY 11        /* in use; may succeed later */
#define SP_E_TIMED_OUT 12   /* deadline passed */
#define SP_E_CANCELLED 13   /* the host asked to stop */
#define SP_E_CONFLICT 14    /* changed by somebody else meanwhile */
#define SP_E_IO 15          /* the store failed */
#define SP_E_INTERNAL 16    /* a defect, or a code nobody knows */
#define SP_E_WOULD_BLOCK 17 /* only in answer to SP_OP_NOWAIT */
#define SP_E_FULL 18        /* only from a sink: keep this item and offer it again in the next call */
#define SP_E_LOOP 19        /* too many symbolic links */
#define SP_E_NAME_TOO_LONG 20
#define SP_E_CROSS_DEVICE 21 /* source and target are on different stores */

/* Owned by the caller, written only when the call fails. The text is for the operator's log: no secrets. */
typedef struct sp_error {
  uint32_t struct_size;
  sp_status status;
  int32_t native_code; /* errno or the store's own number; 0 when there is none */
  uint32_t flags;      /* 0 */
  char message[240];   /* NUL-terminated */
} sp_error;

/* Context of one operation. deadline_ns is on the monotonic clock, 0 means none. */
typedef struct sp_op {
  uint32_t struct_size;
  uint32_t flags; /* SP_OP_* */
  uint64_t session_id;
  uint64_t request_id;
  int64_t deadline_ns;
} sp_op;
#define SP_OP_NOWAIT 1u /* answer SP_E_WOULD_BLOCK rather than block; set only where caps allow it */

/* File attributes. Only members named in `valid` mean anything; on input only those are applied. */
typedef struct sp_attrs {
  uint32_t struct_size;
  uint32_t valid; /* SP_ATTR_* */
  uint32_t type;  /* SP_TYPE_* */
  uint32_t perms; /* the low 12 bits of a POSIX mode */
  uint32_t uid;
  uint32_t gid;
  uint64_t size;    /* bytes */
  int64_t mtime_ns; /* nanoseconds since 1970-01-01 UTC */
  int64_t atime_ns;
  uint32_t nlink;
  uint32_t reserved;
} sp_attrs;
#define SP_ATTR_TYPE 1u
#define SP_ATTR_PERMS 2u
#define SP_ATTR_OWNER 4u /* uid and gid; 0xffffffff leaves one as it is */
#define SP_ATTR_SIZE 8u
#define SP_ATTR_MTIME 16u
#define SP_ATTR_ATIME 32u
#define SP_ATTR_NLINK 64u
#define SP_TYPE_FILE 1u
#define SP_TYPE_DIR 2u
#define SP_TYPE_SYMLINK 3u
#define SP_TYPE_OTHER 4u

/* Change of one named counter, applied atomically together with the others of the same call. */
typedef struct sp_delta {
  sp_str counter;
  int64_t amount;
} sp_delta;

/* Receives a result of any length in one or more parts. Anything but SP_OK means: stop and return that status.
 * A sink must not call back into the plugin, nor the plugin into the host, while a part is being delivered. */
typedef struct sp_sink {
  void *ctx;
  sp_status(SP_CALL *write)(void *ctx, sp_bytes part) SP_NOEXCEPT;
} sp_sink;

/* Is the member `field` there (struct new enough) and set? For members that are pointers. */
#define SP_HAS(type, ptr, field) ((ptr)->struct_size >= offsetof(type, field) + sizeof((ptr)->field) && (ptr)->field)

#ifdef __cplusplus
}
#endif
#endif
