/* SPDX-License-Identifier: Apache-2.0
 *
 * Every stable C header at once.
 */
#ifndef SALLYPORT_ABI_H
#define SALLYPORT_ABI_H

#include "auth.h"
#include "base.h"
#include "ext/host_ext.h"
#include "ext/storage_ext.h"
#include "host.h"
#include "notifier.h"
#include "plugin.h"
#include "provider.h"
#include "service.h"
#include "storage.h"
#include "version.h"

#endif
