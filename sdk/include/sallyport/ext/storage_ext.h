/* SPDX-License-Identifier: Apache-2.0
 *
 * Optional features of a storage, fetched by id from sp_fs_ops.extension or sp_file_ops.extension. Each table grows
 * by a new id ("/2"), never in place. A pointer lives as long as the object it was asked from.
 */
#ifndef SALLYPORT_EXT_STORAGE_H
#define SALLYPORT_EXT_STORAGE_H

#include "../storage.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Free space, from sp_fs. Fields as POSIX statvfs. */
#define SP_EXT_STATVFS "storage.statvfs/1"
typedef struct sp_statvfs {
  uint32_t struct_size;
  uint32_t flags; /* SP_STATVFS_* */
  uint64_t bsize, frsize, blocks, bfree, bavail, files, ffree, favail, fsid, namemax;
} sp_statvfs;
#define SP_STATVFS_RDONLY 1u
#define SP_STATVFS_NOSUID 2u
typedef struct sp_ext_statvfs {
  sp_status(SP_CALL *statvfs)(sp_fs *, const sp_op *, sp_str path, sp_statvfs *out, sp_error *) SP_NOEXCEPT; /* [worker] */
} sp_ext_statvfs;

/* Hard links, from sp_fs. Never follows a symbolic link in the last component. */
#define SP_EXT_HARD_LINK "storage.hard_link/1"
typedef struct sp_ext_hard_link {
  sp_status(SP_CALL *link)(sp_fs *, const sp_op *, sp_str from, sp_str to, sp_error *) SP_NOEXCEPT; /* [worker] */
} sp_ext_hard_link;

/* Copy inside the store without moving data through the host, from sp_file (the source); sp_fs answers to the same id
 * to say that its files can. Copies up to len bytes, less only at the end of the source; *copied tells how many. */
#define SP_EXT_COPY_RANGE "storage.copy_range/1"
typedef struct sp_ext_copy_range {
  sp_status(SP_CALL *copy)(sp_file *from, const sp_op *, uint64_t from_offset, uint64_t len, sp_file *to,
                           uint64_t to_offset, uint64_t *copied, sp_error *) SP_NOEXCEPT; /* [worker] */
} sp_ext_copy_range;

/* Everything below a directory as one listing, from sp_fs, where that is quicker than to go from directory to directory.
 * Its entries are files only, and their names paths relative to that directory. Fails as open_dir does. */
#define SP_EXT_TREE "storage.tree/1"
typedef struct sp_ext_tree {
  sp_status(SP_CALL *open_tree)(sp_fs *, const sp_op *, sp_str path, sp_dir **out, sp_error *) SP_NOEXCEPT; /* [worker] */
} sp_ext_tree;

/* The operator's name of a path (log lines, hooks), from sp_fs; need not exist. Never shown to clients. */
#define SP_EXT_REAL_PATH "storage.real_path/1"
typedef struct sp_ext_real_path {
  sp_status(SP_CALL *real_path)(sp_fs *, sp_str path, const sp_sink *, sp_error *) SP_NOEXCEPT; /* [any-thread] */
} sp_ext_real_path;

/* A mount that is a directory of this machine, in which the host may let programs of the system work for the user, from
 * sp_fs. The directory's path, without symbolic links; never shown to clients. SP_E_NOT_FOUND when it is not there. */
#define SP_EXT_LOCAL_ROOT "storage.local_root/1"
typedef struct sp_ext_local_root {
  sp_status(SP_CALL *local_root)(sp_fs *, const sp_sink *, sp_error *) SP_NOEXCEPT; /* [any-thread] */
} sp_ext_local_root;

/* Names of numeric owners, from sp_fs; SP_E_NOT_FOUND when a number has none. */
#define SP_EXT_OWNER_NAMES "storage.owner_names/1"
typedef struct sp_ext_owner_names {
  sp_status(SP_CALL *user_name)(sp_fs *, uint32_t uid, const sp_sink *, sp_error *) SP_NOEXCEPT;  /* [worker] */
  sp_status(SP_CALL *group_name)(sp_fs *, uint32_t gid, const sp_sink *, sp_error *) SP_NOEXCEPT; /* [worker] */
} sp_ext_owner_names;

#ifdef __cplusplus
}
#endif
#endif
