// SPDX-License-Identifier: Apache-2.0
//
// The exported description of the plugin.
#include <sallyport/cpp/plugin.hpp>

#include "s3_storage.h"

SALLYPORT_PLUGIN("org.sallyport.fs-s3", "fs-s3", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kStorageFactory<fs_s3::S3Storage>)
