// SPDX-License-Identifier: Apache-2.0
//
// Throws in create. Compiled as C++11, where function pointers cannot promise noexcept: from C++17 on this is an error.
#include <stdexcept>

#include "common.h"

namespace {

sp_status create(const sp_host*, sp_str, void**, sp_error*) { throw std::runtime_error("thrown on purpose"); }

const sp_factory factory = STORAGE_FACTORY("bad-throw", SP_STORAGE_ABI, create);
const sp_factory* const factories[] = {&factory, nullptr};
const sp_plugin plugin = PLUGIN(SP_ABI, "bad-throw", factories, nullptr);

}  // namespace

const sp_plugin* SP_CALL sp_plugin_v1(void) { return &plugin; }
