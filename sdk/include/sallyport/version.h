/* SPDX-License-Identifier: Apache-2.0
 *
 * Version numbers of the product and of the plugin ABI. C11 and C++11 clean, like every header beside it.
 */
#ifndef SALLYPORT_VERSION_H
#define SALLYPORT_VERSION_H

#define SALLYPORT_VERSION_STRING "0.1.0"

/* ABI numbers are major << 16 | minor. Numbers below 0x10000 are drafts: host and plugin must carry the very same
 * number, and a draft is never loaded by a host that has moved on. Draft numbers are never used twice. */
#define SP_ABI 0u

/* One number per plugin kind, so that one kind can grow while another stays. The same draft rule applies. */
#define SP_STORAGE_ABI 0u
#define SP_PROVIDER_ABI 1u
#define SP_AUTH_ABI 0u
#define SP_NOTIFIER_ABI 0u
#define SP_SERVICE_ABI 0u

#endif
