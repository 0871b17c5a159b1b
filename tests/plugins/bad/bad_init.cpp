// SPDX-License-Identifier: Apache-2.0
//
// Throws in init, and something that is no std::exception. Compiled as C++11 like bad_throw.cpp.
#include "common.h"

namespace {

sp_status create(const sp_host*, sp_str, void**, sp_error*) { return SP_E_INTERNAL; }
sp_status init(const sp_host*, sp_error*) { throw 42; }

const sp_factory factory = STORAGE_FACTORY("bad-init", SP_STORAGE_ABI, create);
const sp_factory* const factories[] = {&factory, nullptr};
const sp_plugin plugin = PLUGIN(SP_ABI, "bad-init", factories, init);

}  // namespace

const sp_plugin* SP_CALL sp_plugin_v1(void) { return &plugin; }
