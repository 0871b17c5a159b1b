// SPDX-License-Identifier: Apache-2.0
//
// The exported description of the plugin.
#include <sallyport/cpp/plugin.hpp>

#include "local_storage.h"

SALLYPORT_PLUGIN("org.sallyport.fs-local", "fs-local", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kStorageFactory<fs_local::LocalStorage>)
