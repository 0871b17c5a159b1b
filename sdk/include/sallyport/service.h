/* SPDX-License-Identifier: Apache-2.0
 *
 * Service plugins: run beside the file service (an admin interface, an exporter) and reach the host only through
 * host extensions such as "host.users/1".
 */
#ifndef SALLYPORT_SERVICE_H
#define SALLYPORT_SERVICE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sp_service { const struct sp_service_ops *ops; } sp_service;

typedef struct sp_service_ops {
  uint32_t struct_size;
  uint32_t reserved;
  /* Frees the service; it is stopped by then. [exclusive] */
  void(SP_CALL *destroy)(sp_service *) SP_NOEXCEPT;
  /* Begins to serve and returns. [setup] */
  sp_status(SP_CALL *start)(sp_service *, sp_error *) SP_NOEXCEPT;
  /* New settings, or the same ones after SIGHUP. May be NULL. [setup] */
  sp_status(SP_CALL *reload)(sp_service *, sp_str config, sp_error *) SP_NOEXCEPT;
  /* Ends within op->deadline_ns; every thread of the service is joined when it returns SP_OK. SP_E_TIMED_OUT: one of them
   * does not return from a call of the host, which then destroys nothing and ends the process. [setup] */
  sp_status(SP_CALL *stop)(sp_service *, const sp_op *, sp_error *) SP_NOEXCEPT;
  const void *(SP_CALL *extension)(sp_service *, const char *id)SP_NOEXCEPT;
} sp_service_ops;

#ifdef __cplusplus
}
#endif
#endif
