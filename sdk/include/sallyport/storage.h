/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage plugins. storage (one per configured backend: pools, credentials) -> fs (one user's mount in one session)
 * -> file, dir. Calls are blocking, positional and concurrent; the host runs them on worker threads.
 *
 * Paths are bytes: absolute, '/'-separated, cleaned by the host (no ".", "..", "//", NUL), relative to the mount.
 * Keeping symbolic links inside the mount is the storage's duty. Objects begin with a pointer to a shared constant
 * table; a plugin derives by placing that struct first in its own.
 */
#ifndef SALLYPORT_STORAGE_H
#define SALLYPORT_STORAGE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sp_storage { const struct sp_storage_ops *ops; } sp_storage;
typedef struct sp_fs { const struct sp_fs_ops *ops; } sp_fs;
typedef struct sp_file { const struct sp_file_ops *ops; } sp_file;
typedef struct sp_dir { const struct sp_dir_ops *ops; } sp_dir;

/* What a mount can do. The host refuses everything else before the plugin sees it. Read once per mount. */
#define SP_FS_RANDOM_WRITE 0x1u      /* write_at at any offset, in any order; else ascending and without gaps */
#define SP_FS_READ_WRITE 0x2u        /* one handle may both read and write */
#define SP_FS_PARALLEL_IO 0x4u       /* read_at and write_at of disjoint ranges of one file may run at once */
#define SP_FS_NOWAIT_READ 0x8u       /* read_at honours SP_OP_NOWAIT */
#define SP_FS_NOWAIT_WRITE 0x10u     /* write_at honours SP_OP_NOWAIT */
#define SP_FS_RESUME 0x20u           /* an existing file can be opened for writing without truncation */
#define SP_FS_RENAME_REPLACE 0x40u   /* rename can replace the target */
#define SP_FS_ATOMIC_RENAME 0x80u    /* rename shows the old or the new state, nothing between */
#define SP_FS_REAL_DIRS 0x100u       /* directories exist by themselves */
#define SP_FS_SYMLINKS 0x200u
#define SP_FS_SET_TIMES 0x400u
#define SP_FS_SET_PERMS 0x800u
#define SP_FS_SET_OWNER 0x1000u
#define SP_FS_TRUNCATE 0x2000u
/* Others see a written file only after close(SP_CLOSE_COMMIT). With SP_FS_RESUME: a size of 0, set before the first
 * write, makes a file that was opened to go on begin anew. */
#define SP_FS_PUBLISH_ON_CLOSE 0x4000u
#define SP_FS_CASE_INSENSITIVE 0x8000u

typedef struct sp_fs_caps {
  uint32_t struct_size;
  uint32_t max_inflight; /* useful read_at/write_at calls at once per mount and session; 0 counts as 1 */
  uint64_t flags;        /* SP_FS_* */
  uint64_t write_part;   /* the host gathers writes to about this many bytes; 0 when any size is fine */
} sp_fs_caps;

/* No operation of this mount follows a symbolic link below its root, whatever part of a path it is: SP_E_DENIED. */
#define SP_MOUNT_NO_LINKS 1u
/* The root is not made. When it is not there or cannot be entered the mount succeeds, and its operations say why. */
#define SP_MOUNT_AS_FOUND 2u

/* Who mounts. Members are borrowed until unmount. */
typedef struct sp_mount_args {
  uint32_t struct_size;
  uint32_t uid, gid;   /* owner for what is created; 0xffffffff leaves it to the store */
  uint32_t umask;      /* bits to clear in permissions of what is created */
  uint64_t session_id;
  sp_str user;         /* login name, for logs */
  sp_str root;         /* home directory or mapped path; empty when the store has no use for one */
  sp_str settings;     /* JSON object checked against sp_factory.user_schema */
  uint32_t flags;      /* SP_MOUNT_* */
  uint32_t reserved;
} sp_mount_args;

#define SP_OPEN_READ 1u
#define SP_OPEN_WRITE 2u
#define SP_OPEN_CREATE 4u
#define SP_OPEN_EXCLUSIVE 8u /* with CREATE: fail with SP_E_EXISTS, also for a symbolic link */
#define SP_OPEN_TRUNCATE 16u
#define SP_OPEN_APPEND 32u   /* every write goes to the end, whatever its offset */

typedef struct sp_open_args {
  uint32_t struct_size;
  uint32_t flags;        /* SP_OPEN_* */
  const sp_attrs *attrs; /* for a new file; may be NULL */
  uint64_t size_hint;    /* expected size, 0 when unknown */
} sp_open_args;

#define SP_STAT_NOFOLLOW 1u  /* also for set_attrs: act on a symbolic link itself */
#define SP_REMOVE_FILE 0u    /* anything but a directory; SP_E_IS_DIR otherwise */
#define SP_REMOVE_DIR 1u     /* an empty directory; SP_E_NOT_DIR otherwise */
#define SP_RENAME_REPLACE 1u  /* replace an existing target; without it SP_E_EXISTS */
#define SP_RENAME_ONLY_DIR 2u /* rename a directory; anything else is SP_E_NOT_DIR, decided in the same step */
#define SP_CLOSE_COMMIT 1u   /* the client finished: publish */
#define SP_CLOSE_ABORT 0u    /* the session was lost or a write failed: do not publish */

/* One directory entry. name is bytes without '/'; attrs are those of the entry itself (links not followed). */
typedef struct sp_entry {
  uint32_t struct_size;
  uint32_t reserved;
  sp_str name;
  const sp_attrs *attrs;
} sp_entry;

/* Answers SP_E_FULL to an entry it has no room for; the plugin offers that one first in the next call. */
typedef struct sp_entry_sink {
  void *ctx;
  sp_status(SP_CALL *add)(void *ctx, const sp_entry *) SP_NOEXCEPT;
} sp_entry_sink;

typedef struct sp_storage_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* Frees the storage; every fs is unmounted by then. [exclusive] */
  void(SP_CALL *destroy)(sp_storage *) SP_NOEXCEPT;
  /* Prepares one user's view; creates a missing home where that means anything. [worker] */
  sp_status(SP_CALL *mount)(sp_storage *, const sp_op *, const sp_mount_args *, sp_fs **out, sp_error *) SP_NOEXCEPT;
  /* Optional features by id; NULL when absent. Also for the tables below. [any-thread] */
  const void *(SP_CALL *extension)(sp_storage *, const char *id)SP_NOEXCEPT;
} sp_storage_ops;

/* Required: unmount, caps, stat, open, open_dir. A NULL slot means SP_E_UNSUPPORTED. All paths: see above. */
typedef struct sp_fs_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* Frees the fs; its files and directories are closed by then. [exclusive] */
  void(SP_CALL *unmount)(sp_fs *) SP_NOEXCEPT;
  /* Fills out up to out->struct_size. [any-thread] */
  void(SP_CALL *caps)(sp_fs *, sp_fs_caps *out) SP_NOEXCEPT;
  /* flags: SP_STAT_NOFOLLOW. [worker] */
  sp_status(SP_CALL *stat)(sp_fs *, const sp_op *, sp_str path, uint32_t flags, sp_attrs *out, sp_error *) SP_NOEXCEPT;
  /* Applies all valid members of attrs, size first; stops at the first failure. flags: SP_STAT_NOFOLLOW. [worker] */
  sp_status(SP_CALL *set_attrs)(sp_fs *, const sp_op *, sp_str path, uint32_t flags, const sp_attrs *,
                                sp_error *) SP_NOEXCEPT;
  /* Opening a directory for writing fails with SP_E_IS_DIR. [worker] */
  sp_status(SP_CALL *open)(sp_fs *, const sp_op *, sp_str path, const sp_open_args *, sp_file **out,
                           sp_error *) SP_NOEXCEPT;
  /* [worker] */
  sp_status(SP_CALL *open_dir)(sp_fs *, const sp_op *, sp_str path, sp_dir **out, sp_error *) SP_NOEXCEPT;
  /* attrs may be NULL. [worker] */
  sp_status(SP_CALL *mkdir)(sp_fs *, const sp_op *, sp_str path, const sp_attrs *, sp_error *) SP_NOEXCEPT;
  /* kind: SP_REMOVE_*. Never follows a symbolic link. [worker] */
  sp_status(SP_CALL *remove)(sp_fs *, const sp_op *, sp_str path, uint32_t kind, sp_error *) SP_NOEXCEPT;
  /* flags: SP_RENAME_*. Never follows a symbolic link in the last component. [worker] */
  sp_status(SP_CALL *rename)(sp_fs *, const sp_op *, sp_str from, sp_str to, uint32_t flags, sp_error *) SP_NOEXCEPT;
  /* target is stored so that read_link gives it back and so that an absolute one starts at the mount. [worker] */
  sp_status(SP_CALL *symlink)(sp_fs *, const sp_op *, sp_str target, sp_str link_path, sp_error *) SP_NOEXCEPT;
  /* Bytes as seen from the mount; never a path of the server. [worker] */
  sp_status(SP_CALL *read_link)(sp_fs *, const sp_op *, sp_str path, const sp_sink *, sp_error *) SP_NOEXCEPT;
  const void *(SP_CALL *extension)(sp_fs *, const char *id)SP_NOEXCEPT;
} sp_fs_ops;

/* Required: read_at for files opened to read, write_at for files opened to write, stat, close. */
typedef struct sp_file_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* A short count is legal; *got == 0 with SP_OK is the end of the file. [worker], or [serial] without
   * SP_FS_PARALLEL_IO; [any-thread] with SP_OP_NOWAIT. */
  sp_status(SP_CALL *read_at)(sp_file *, const sp_op *, void *buf, size_t len, uint64_t offset, size_t *got,
                              sp_error *) SP_NOEXCEPT;
  /* Writes all or fails. Threads as read_at. */
  sp_status(SP_CALL *write_at)(sp_file *, const sp_op *, const void *buf, size_t len, uint64_t offset,
                               sp_error *) SP_NOEXCEPT;
  /* [worker] */
  sp_status(SP_CALL *stat)(sp_file *, const sp_op *, sp_attrs *out, sp_error *) SP_NOEXCEPT;
  /* As sp_fs_ops.set_attrs. [worker] */
  sp_status(SP_CALL *set_attrs)(sp_file *, const sp_op *, const sp_attrs *, sp_error *) SP_NOEXCEPT;
  /* Data reaches stable storage before the call returns. [worker] */
  sp_status(SP_CALL *sync)(sp_file *, const sp_op *, sp_error *) SP_NOEXCEPT;
  /* how: SP_CLOSE_*. Frees the file whatever it returns. [exclusive] */
  sp_status(SP_CALL *close)(sp_file *, const sp_op *, uint32_t how, sp_error *) SP_NOEXCEPT;
  const void *(SP_CALL *extension)(sp_file *, const char *id)SP_NOEXCEPT;
} sp_file_ops;

typedef struct sp_dir_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* Offers up to max entries, without "." and ".."; sets *at_end to 1 when none is left. An entry that vanished
   * meanwhile is left out. [serial] */
  sp_status(SP_CALL *next)(sp_dir *, const sp_op *, uint32_t max, const sp_entry_sink *, uint32_t *at_end,
                           sp_error *) SP_NOEXCEPT;
  /* [exclusive] */
  void(SP_CALL *close)(sp_dir *) SP_NOEXCEPT;
} sp_dir_ops;

#ifdef __cplusplus
}
#endif
#endif
