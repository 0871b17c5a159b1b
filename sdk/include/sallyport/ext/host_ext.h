/* SPDX-License-Identifier: Apache-2.0
 *
 * What a service plugin may ask of the host, fetched by id from sp_host.extension. Whatever is wide and cold crosses as
 * JSON. Each table grows by a new id ("/2"), never in place, and lives as long as the host table; ctx is the host's own
 * and goes back as the first argument. All calls are [worker]: any thread of the service, several at once, and they may
 * block. SP_E_BUSY, where no other meaning is given, means that the host is starting or stopping.
 *
 * The text of an error is meant for an administrator who is logged in: it names accounts and files, never secrets.
 */
#ifndef SALLYPORT_EXT_HOST_H
#define SALLYPORT_EXT_HOST_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Accounts, as JSON objects without secrets. SP_E_INVALID: the text begins with "Validation error: ". SP_E_DENIED: the
 * host does not manage accounts. */
#define SP_EXT_HOST_USERS "host.users/1"
typedef struct sp_host_users {
  void *ctx;
  /* query: {"limit": 100, "offset": 0, "order": "ASC" | "DESC", "username": "..."}, all but limit optional. Delivers a
   * JSON array ordered by name; a username selects that account alone. */
  sp_status(SP_CALL *list)(void *ctx, sp_str query, const sp_sink *, sp_error *) SP_NOEXCEPT;
  sp_status(SP_CALL *get)(void *ctx, int64_t id, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* Delivers the account as stored. SP_E_EXISTS when the name is taken. */
  sp_status(SP_CALL *add)(void *ctx, sp_str user, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* Members that `changes` leaves out keep their value. */
  sp_status(SP_CALL *update)(void *ctx, int64_t id, sp_str changes, sp_error *) SP_NOEXCEPT;
  sp_status(SP_CALL *remove)(void *ctx, int64_t id, sp_error *) SP_NOEXCEPT;
} sp_host_users;

/* Work that takes long. */
#define SP_EXT_HOST_JOBS "host.jobs/1"
typedef struct sp_host_jobs {
  void *ctx;
  /* Delivers the scans that run: [{"username": "...", "start_time": ms}]. */
  sp_status(SP_CALL *scans)(void *ctx, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* Counts an account's files in the background. SP_E_NOT_FOUND; SP_E_CONFLICT while one runs for it; SP_E_BUSY when
   * too many wait. */
  sp_status(SP_CALL *start_scan)(void *ctx, sp_str username, sp_error *) SP_NOEXCEPT;
  /* Writes all accounts, secrets included, below the backup directory: {"output_file": "relative", "indent": true}. */
  sp_status(SP_CALL *dump)(void *ctx, sp_str request, sp_error *) SP_NOEXCEPT;
  /* Reads such a file: {"input_file": "/absolute", "scan_quota": 0 | 1 | 2, "mode": 0 | 1}. Each account is taken whole
   * or refused; the sink gets a summary even when the call fails because of a refusal. */
  sp_status(SP_CALL *restore)(void *ctx, sp_str request, const sp_sink *summary, sp_error *) SP_NOEXCEPT;
} sp_host_jobs;

/* Who is logged in. */
#define SP_EXT_HOST_SESSIONS "host.sessions/1"
typedef struct sp_host_sessions {
  void *ctx;
  /* Delivers the connections that have a channel, in no order: [{"username", "connection_id", "client_version",
   * "remote_address", "connection_time": ms, "last_activity": ms, "protocol": "SFTP" | "SCP" | "SSH", "active_transfers":
   * [{"operation_type": "upload" | "download", "path", "start_time": ms, "size", "last_activity": ms}], "ssh_command"}] */
  sp_status(SP_CALL *list)(void *ctx, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* Ends one soon, as if its client had gone. SP_E_NOT_FOUND. */
  sp_status(SP_CALL *close)(void *ctx, sp_str connection_id, sp_error *) SP_NOEXCEPT;
  /* Ends all of an account; *count says how many there were. */
  sp_status(SP_CALL *close_user)(void *ctx, sp_str username, uint64_t *count, sp_error *) SP_NOEXCEPT;
} sp_host_sessions;

/* Clients that are refused because of failed logins. */
#define SP_EXT_HOST_BANS "host.bans/1"
typedef struct sp_host_bans {
  void *ctx;
  /* [{"network": "192.0.2.7" or "2001:db8::/64", "username": "" for everybody there, "seconds_left"}], newest first. */
  sp_status(SP_CALL *list)(void *ctx, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* Ends the bans of a network, or of any address in it, and of the names there; with a username that of this name
   * alone. SP_E_NOT_FOUND when there is none. */
  sp_status(SP_CALL *lift)(void *ctx, sp_str network, sp_str username, sp_error *) SP_NOEXCEPT;
} sp_host_bans;

/* For plugins of any kind: what they ask of others, counted for monitoring under the storage's or plugin's own name and a
 * word for the request, of which there are few ("GetObject"). `good`: 1, or 0 when it was refused or got lost. */
#define SP_EXT_HOST_METER "host.meter/1"
typedef struct sp_host_meter {
  void *ctx;
  void(SP_CALL *request)(void *ctx, sp_str plugin, sp_str what, uint32_t good, uint64_t ns) SP_NOEXCEPT; /* [any-thread] */
} sp_host_meter;

/* What runs here. */
#define SP_EXT_HOST_INFO "host.info/1"
typedef struct sp_host_info {
  void *ctx;
  /* {"version", "build_date", "commit_hash"} */
  sp_status(SP_CALL *version)(void *ctx, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* [{"name", "id", "version", "vendor", "provides": [{"kind", "type", "summary", "config_schema", "user_schema"}]}] */
  sp_status(SP_CALL *plugins)(void *ctx, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* Does the data provider answer? */
  sp_status(SP_CALL *provider_status)(void *ctx, sp_error *) SP_NOEXCEPT;
  /* [{"name", "type": "counter" | "gauge" | "histogram", "help", "samples": [{"labels": {"name": "text"}, "value"}]}].
   * A sample of a histogram has, instead of a value, "bounds" in ascending order, "counts" of what lies between them,
   * one more for what lies beyond the last, and "sum". Numbers are whole or not. */
  sp_status(SP_CALL *metrics)(void *ctx, const sp_sink *, sp_error *) SP_NOEXCEPT;
  /* SP_OK when the password belongs to the hash, SP_E_DENIED when not. Slow by design. */
  sp_status(SP_CALL *check_password)(void *ctx, sp_str hash, sp_str password) SP_NOEXCEPT;
  /* One access line of an HTTP server: {"sender", "method", "proto", "remote_addr", "request_id", "uri", "user_agent",
   * "resp_status", "resp_size", "elapsed_ms"}. [any-thread] */
  void(SP_CALL *log_http)(void *ctx, sp_str line) SP_NOEXCEPT;
} sp_host_info;

#ifdef __cplusplus
}
#endif
#endif
