/* SPDX-License-Identifier: Apache-2.0
 *
 * fs-slow: a storage that passes everything to a local directory and sleeps `delay_ms` in every call. Written in C to
 * prove that the ABI needs nothing else. Calls run on the host's workers. For tests only: it does not confine links.
 */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sallyport/plugin.h>
#include <sallyport/storage.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

typedef struct slow_storage { sp_storage base; long delay_ms; } slow_storage;
typedef struct slow_fs { sp_fs base; long delay_ms; int root; mode_t umask_bits; } slow_fs;
typedef struct slow_file { sp_file base; long delay_ms; int fd; } slow_file;
typedef struct slow_dir { sp_dir base; long delay_ms; DIR *stream; struct dirent *kept; } slow_dir;

static void be_slow(long delay_ms) {
  struct timespec rest = {delay_ms / 1000, delay_ms % 1000 * 1000000};
  while (nanosleep(&rest, &rest) != 0 && errno == EINTR) {}
}

static sp_status fail(sp_error *error, sp_status status, int native, const char *what) {
  if (error != NULL && error->struct_size >= sizeof *error) {
    error->status = status;
    error->native_code = native;
    error->flags = 0;
    snprintf(error->message, sizeof error->message, "fs-slow: %s%s%s", what, native != 0 ? ": " : "",
             native != 0 ? strerror(native) : "");
  }
  return status;
}

static sp_status fail_errno(sp_error *error, const char *what) {
  static const struct { int native; sp_status status; } known[] = {
      {ENOENT, SP_E_NOT_FOUND}, {EACCES, SP_E_DENIED},     {EPERM, SP_E_DENIED},   {EEXIST, SP_E_EXISTS},
      {ENOTDIR, SP_E_NOT_DIR},  {EISDIR, SP_E_IS_DIR},     {EINVAL, SP_E_INVALID}, {ENOTEMPTY, SP_E_NOT_EMPTY},
      {ENOSPC, SP_E_NO_SPACE},  {ENAMETOOLONG, SP_E_NAME_TOO_LONG}};
  const int native = errno;
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
    if (known[i].native == native) return fail(error, known[i].status, native, what);
  }
  return fail(error, SP_E_IO, native, what);
}

/* The path below the mount's directory, NUL-terminated; 0 when it does not fit. */
typedef struct local_path { char text[4096]; } local_path;
static int localise(sp_str path, local_path *out) {
  size_t skip = 0;
  while (skip < path.len && path.ptr[skip] == '/') ++skip;
  if (path.len - skip >= sizeof out->text) return 0;
  if (path.len == skip) {
    memcpy(out->text, ".", 2);
    return 1;
  }
  memcpy(out->text, path.ptr + skip, path.len - skip);
  out->text[path.len - skip] = '\0';
  return 1;
}
#define LOCALISE(path, name) \
  local_path name; \
  if (!localise(path, &name)) return fail(error, SP_E_NAME_TOO_LONG, 0, "path")

static void to_attrs(const struct stat *st, sp_attrs *out) {
  const uint32_t size = out->struct_size;
  if (size < sizeof *out) return;
  memset(out, 0, sizeof *out);
  out->struct_size = size;
  out->valid = SP_ATTR_TYPE | SP_ATTR_PERMS | SP_ATTR_OWNER | SP_ATTR_SIZE | SP_ATTR_MTIME | SP_ATTR_ATIME | SP_ATTR_NLINK;
  out->type = S_ISREG(st->st_mode) ? SP_TYPE_FILE : S_ISDIR(st->st_mode) ? SP_TYPE_DIR : S_ISLNK(st->st_mode) ? SP_TYPE_SYMLINK : SP_TYPE_OTHER;
  out->perms = st->st_mode & 07777u;
  out->uid = st->st_uid;
  out->gid = st->st_gid;
  out->size = (uint64_t)st->st_size;
  out->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
  out->atime_ns = (int64_t)st->st_atim.tv_sec * 1000000000 + st->st_atim.tv_nsec;
  out->nlink = (uint32_t)st->st_nlink;
}

static void to_times(const sp_attrs *attrs, struct timespec times[2]) {
  const struct { uint32_t bit; int64_t ns; } given[2] = {{SP_ATTR_ATIME, attrs->atime_ns}, {SP_ATTR_MTIME, attrs->mtime_ns}};
  for (int i = 0; i < 2; ++i) {
    times[i].tv_sec = (time_t)(given[i].ns / 1000000000);
    times[i].tv_nsec = (attrs->valid & given[i].bit) != 0 ? (long)(given[i].ns % 1000000000) : UTIME_OMIT;
  }
}

/* --- files --- */

static sp_status file_read_at(sp_file *self, const sp_op *op, void *buf, size_t len, uint64_t offset, size_t *got, sp_error *error) {
  const slow_file *file = (slow_file *)self;
  (void)op;
  be_slow(file->delay_ms);
  const ssize_t n = pread(file->fd, buf, len, (off_t)offset);
  if (n < 0) return fail_errno(error, "read");
  *got = (size_t)n;
  return SP_OK;
}

static sp_status file_write_at(sp_file *self, const sp_op *op, const void *buf, size_t len, uint64_t offset, sp_error *error) {
  const slow_file *file = (slow_file *)self;
  (void)op;
  be_slow(file->delay_ms);
  for (size_t done = 0; done < len;) {
    const ssize_t n = pwrite(file->fd, (const char *)buf + done, len - done, (off_t)(offset + done));
    if (n < 0) return fail_errno(error, "write");
    done += (size_t)n;
  }
  return SP_OK;
}

static sp_status file_stat(sp_file *self, const sp_op *op, sp_attrs *out, sp_error *error) {
  const slow_file *file = (slow_file *)self;
  struct stat st;
  (void)op;
  be_slow(file->delay_ms);
  if (fstat(file->fd, &st) != 0) return fail_errno(error, "fstat");
  to_attrs(&st, out);
  return SP_OK;
}

static sp_status file_set_attrs(sp_file *self, const sp_op *op, const sp_attrs *attrs, sp_error *error) {
  const slow_file *file = (slow_file *)self;
  struct timespec times[2];
  (void)op;
  be_slow(file->delay_ms);
  if ((attrs->valid & SP_ATTR_SIZE) != 0 && ftruncate(file->fd, (off_t)attrs->size) != 0) return fail_errno(error, "ftruncate");
  if ((attrs->valid & SP_ATTR_PERMS) != 0 && fchmod(file->fd, attrs->perms) != 0) return fail_errno(error, "fchmod");
  if ((attrs->valid & (SP_ATTR_MTIME | SP_ATTR_ATIME)) == 0) return SP_OK;
  to_times(attrs, times);
  return futimens(file->fd, times) == 0 ? SP_OK : fail_errno(error, "futimens");
}

static sp_status file_sync(sp_file *self, const sp_op *op, sp_error *error) {
  const slow_file *file = (slow_file *)self;
  (void)op;
  be_slow(file->delay_ms);
  return fsync(file->fd) == 0 ? SP_OK : fail_errno(error, "fsync");
}

static sp_status file_close(sp_file *self, const sp_op *op, uint32_t how, sp_error *error) {
  slow_file *file = (slow_file *)self;
  (void)op;
  (void)how;
  be_slow(file->delay_ms);
  const int result = close(file->fd);
  free(file);
  return result == 0 ? SP_OK : fail_errno(error, "close");
}

static const sp_file_ops file_ops = {sizeof(sp_file_ops), 0, file_read_at, file_write_at, file_stat, file_set_attrs, file_sync, file_close, NULL};

/* --- directories --- */

static sp_status dir_next(sp_dir *self, const sp_op *op, uint32_t max, const sp_entry_sink *sink, uint32_t *at_end, sp_error *error) {
  slow_dir *dir = (slow_dir *)self;
  (void)op;
  be_slow(dir->delay_ms);
  for (uint32_t given = 0; given < max;) {
    struct dirent *entry = dir->kept;
    dir->kept = NULL;
    if (entry == NULL) {
      errno = 0;
      entry = readdir(dir->stream);
      if (entry == NULL && errno != 0) return fail_errno(error, "readdir");
      if (entry == NULL) {
        *at_end = 1;
        return SP_OK;
      }
      if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    }
    struct stat st;
    if (fstatat(dirfd(dir->stream), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
    sp_attrs attrs = {.struct_size = sizeof attrs};
    to_attrs(&st, &attrs);
    const sp_entry offered = {sizeof offered, 0, {entry->d_name, strlen(entry->d_name)}, &attrs};
    const sp_status status = sink->add(sink->ctx, &offered);
    if (status == SP_E_FULL) {
      dir->kept = entry;
      return SP_OK;
    }
    if (status != SP_OK) return fail(error, status, 0, "listing");
    ++given;
  }
  return SP_OK;
}

static void dir_close(sp_dir *self) {
  slow_dir *dir = (slow_dir *)self;
  be_slow(dir->delay_ms);
  closedir(dir->stream);
  free(dir);
}

static const sp_dir_ops dir_ops = {sizeof(sp_dir_ops), 0, dir_next, dir_close};

/* --- mounts --- */

static void fs_unmount(sp_fs *self) {
  slow_fs *fs = (slow_fs *)self;
  be_slow(fs->delay_ms);
  close(fs->root);
  free(fs);
}

static void fs_caps(sp_fs *self, sp_fs_caps *out) {
  (void)self;
  if (out->struct_size < sizeof *out) return;
  out->max_inflight = 4;
  out->flags = SP_FS_RANDOM_WRITE | SP_FS_READ_WRITE | SP_FS_PARALLEL_IO | SP_FS_RESUME | SP_FS_RENAME_REPLACE | SP_FS_ATOMIC_RENAME |
               SP_FS_REAL_DIRS | SP_FS_SET_TIMES | SP_FS_SET_PERMS | SP_FS_TRUNCATE;
  out->write_part = 0;
}

static sp_status fs_stat(sp_fs *self, const sp_op *op, sp_str path, uint32_t flags, sp_attrs *out, sp_error *error) {
  const slow_fs *fs = (slow_fs *)self;
  struct stat st;
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(path, at);
  if (fstatat(fs->root, at.text, &st, (flags & SP_STAT_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0) != 0) return fail_errno(error, "stat");
  to_attrs(&st, out);
  return SP_OK;
}

static sp_status fs_set_attrs(sp_fs *self, const sp_op *op, sp_str path, uint32_t flags, const sp_attrs *attrs, sp_error *error) {
  const slow_fs *fs = (slow_fs *)self;
  struct timespec times[2];
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(path, at);
  if ((attrs->valid & SP_ATTR_SIZE) != 0) {
    const int fd = openat(fs->root, at.text, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(error, "open to truncate");
    const int cut = ftruncate(fd, (off_t)attrs->size);
    close(fd);
    if (cut != 0) return fail_errno(error, "truncate");
  }
  if ((attrs->valid & SP_ATTR_PERMS) != 0 && fchmodat(fs->root, at.text, attrs->perms, 0) != 0) return fail_errno(error, "chmod");
  if ((attrs->valid & (SP_ATTR_MTIME | SP_ATTR_ATIME)) == 0) return SP_OK;
  to_times(attrs, times);
  const int nofollow = (flags & SP_STAT_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
  return utimensat(fs->root, at.text, times, nofollow) == 0 ? SP_OK : fail_errno(error, "utimens");
}

static sp_status fs_open(sp_fs *self, const sp_op *op, sp_str path, const sp_open_args *args, sp_file **out, sp_error *error) {
  static const struct { uint32_t ours; int theirs; } bits[] = {
      {SP_OPEN_CREATE, O_CREAT}, {SP_OPEN_EXCLUSIVE, O_EXCL}, {SP_OPEN_TRUNCATE, O_TRUNC}, {SP_OPEN_APPEND, O_APPEND}};
  const slow_fs *fs = (slow_fs *)self;
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(path, at);
  const int writes = (args->flags & SP_OPEN_WRITE) != 0;
  int how = O_CLOEXEC | (!writes ? O_RDONLY : (args->flags & SP_OPEN_READ) != 0 ? O_RDWR : O_WRONLY);
  for (size_t i = 0; i < sizeof bits / sizeof *bits; ++i) how |= (args->flags & bits[i].ours) != 0 ? bits[i].theirs : 0;
  const int has_perms = args->attrs != NULL && (args->attrs->valid & SP_ATTR_PERMS) != 0;
  const mode_t mode = (has_perms ? args->attrs->perms : 0666u) & ~fs->umask_bits;
  slow_file *file = calloc(1, sizeof *file);
  if (file == NULL) return fail(error, SP_E_INTERNAL, ENOMEM, "open");
  file->base.ops = &file_ops;
  file->delay_ms = fs->delay_ms;
  file->fd = openat(fs->root, at.text, how, mode);
  if (file->fd < 0) {
    const sp_status status = fail_errno(error, "open");
    free(file);
    return status;
  }
  *out = &file->base;
  return SP_OK;
}

static sp_status fs_open_dir(sp_fs *self, const sp_op *op, sp_str path, sp_dir **out, sp_error *error) {
  const slow_fs *fs = (slow_fs *)self;
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(path, at);
  const int fd = openat(fs->root, at.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return fail_errno(error, "open directory");
  slow_dir *dir = calloc(1, sizeof *dir);
  DIR *stream = dir != NULL ? fdopendir(fd) : NULL;
  if (stream == NULL) {
    free(dir);
    close(fd);
    return fail(error, SP_E_INTERNAL, ENOMEM, "open directory");
  }
  dir->base.ops = &dir_ops;
  dir->delay_ms = fs->delay_ms;
  dir->stream = stream;
  *out = &dir->base;
  return SP_OK;
}

static sp_status fs_mkdir(sp_fs *self, const sp_op *op, sp_str path, const sp_attrs *attrs, sp_error *error) {
  const slow_fs *fs = (slow_fs *)self;
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(path, at);
  const mode_t mode = attrs != NULL && (attrs->valid & SP_ATTR_PERMS) != 0 ? attrs->perms : 0777u;
  return mkdirat(fs->root, at.text, mode & ~fs->umask_bits) == 0 ? SP_OK : fail_errno(error, "mkdir");
}

static sp_status fs_remove(sp_fs *self, const sp_op *op, sp_str path, uint32_t kind, sp_error *error) {
  const slow_fs *fs = (slow_fs *)self;
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(path, at);
  return unlinkat(fs->root, at.text, kind == SP_REMOVE_DIR ? AT_REMOVEDIR : 0) == 0 ? SP_OK : fail_errno(error, "remove");
}

static sp_status fs_rename(sp_fs *self, const sp_op *op, sp_str from, sp_str to, uint32_t flags, sp_error *error) {
  const slow_fs *fs = (slow_fs *)self;
  struct stat st;
  (void)op;
  be_slow(fs->delay_ms);
  LOCALISE(from, source);
  LOCALISE(to, target);
  if ((flags & SP_RENAME_REPLACE) == 0 && fstatat(fs->root, target.text, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    return fail(error, SP_E_EXISTS, EEXIST, "rename");
  }
  return renameat(fs->root, source.text, fs->root, target.text) == 0 ? SP_OK : fail_errno(error, "rename");
}

/* Links are left out: an empty slot is how a storage says that it has none. */
static const sp_fs_ops fs_ops = {sizeof(sp_fs_ops), 0,        fs_unmount, fs_caps,   fs_stat, fs_set_attrs, fs_open,
                                 fs_open_dir,       fs_mkdir, fs_remove,  fs_rename, NULL,    NULL,         NULL};

/* --- the storage and the plugin --- */

static void storage_destroy(sp_storage *self) { free(self); }

static sp_status storage_mount(sp_storage *self, const sp_op *op, const sp_mount_args *args, sp_fs **out, sp_error *error) {
  const slow_storage *storage = (slow_storage *)self;
  char root[4096];
  (void)op;
  be_slow(storage->delay_ms);
  if (args->root.len == 0 || args->root.len >= sizeof root) return fail(error, SP_E_INVALID, 0, "a home directory is needed");
  memcpy(root, args->root.ptr, args->root.len);
  root[args->root.len] = '\0';
  if (mkdir(root, 0777u & ~args->umask) != 0 && errno != EEXIST) return fail_errno(error, "making the home directory");
  slow_fs *fs = calloc(1, sizeof *fs);
  if (fs == NULL) return fail(error, SP_E_INTERNAL, ENOMEM, "mount");
  fs->base.ops = &fs_ops;
  fs->delay_ms = storage->delay_ms;
  fs->umask_bits = args->umask;
  fs->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fs->root < 0) {
    const sp_status status = fail_errno(error, "opening the home directory");
    free(fs);
    return status;
  }
  *out = &fs->base;
  return SP_OK;
}

static const sp_storage_ops storage_ops = {sizeof(sp_storage_ops), 0, storage_destroy, storage_mount, NULL};

/* The host has checked the settings and filled in the default, so the member is there and is a number. */
static long read_delay(sp_str config) {
  static const char member[] = "\"delay_ms\":";
  char text[256];
  const size_t length = config.len < sizeof text - 1 ? config.len : sizeof text - 1;
  memcpy(text, config.ptr, length);
  text[length] = '\0';
  const char *found = strstr(text, member);
  return found != NULL ? strtol(found + sizeof member - 1, NULL, 10) : 0;
}

static sp_status create(const sp_host *host, sp_str config, void **out, sp_error *error) {
  static const char component[] = "fs-slow", line[] = "every call will sleep";
  /* A set-up that lasts: until the file is gone that the environment names. */
  const char *gate = getenv("FS_SLOW_CREATE_WAITS_FOR");
  while (gate != NULL && access(gate, F_OK) == 0) be_slow(10);
  slow_storage *storage = calloc(1, sizeof *storage);
  if (storage == NULL) return fail(error, SP_E_INTERNAL, ENOMEM, "create");
  storage->base.ops = &storage_ops;
  storage->delay_ms = read_delay(config);
  host->log(host, SP_LOG_INFO, (sp_str){component, sizeof component - 1}, (sp_str){line, sizeof line - 1});
  *out = &storage->base;
  return SP_OK;
}

static const sp_factory factory = {
    sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "fs-slow", "a local directory with a delay in every call, for tests",
    "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"delay_ms\": {\"type\": \"integer\", "
    "\"description\": \"sleep in every call\", \"default\": 2000, \"minimum\": 0, \"maximum\": 60000}}}",
    NULL, create};
static const sp_factory *const factories[] = {&factory, NULL};
static const sp_plugin plugin = {sizeof(sp_plugin), SP_ABI,  SP_ABI,    0,    "org.sallyport.test.fs-slow", "fs-slow",
                                 "1.0.0",           "tests", factories, NULL, NULL,                         NULL};

const sp_plugin *SP_CALL sp_plugin_v1(void) { return &plugin; }
