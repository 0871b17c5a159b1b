// SPDX-License-Identifier: Apache-2.0
//
// The exported description of the plugin.
#include <sallyport/cpp/plugin.hpp>

#include "fault_storage.h"

SALLYPORT_PLUGIN("org.sallyport.fs-fault", "fs-fault", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kStorageFactory<fs_fault::FaultStorage>)
