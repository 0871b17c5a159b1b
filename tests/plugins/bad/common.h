/* SPDX-License-Identifier: Apache-2.0
 *
 * Building blocks of plugins that are wrong in exactly one way. C11 and C++11.
 */
#ifndef TESTS_BAD_COMMON_H
#define TESTS_BAD_COMMON_H

#include <sallyport/plugin.h>
#include <sallyport/storage.h>

#define ANY_SETTINGS "{\"type\": \"object\"}"

/* A factory that is right but for `kind_abi_number` and `create_function`. */
#define STORAGE_FACTORY(type_name, kind_abi_number, create_function)                                            \
  {                                                                                                             \
    sizeof(sp_factory), SP_KIND_STORAGE, kind_abi_number, 0, type_name, "wrong on purpose", ANY_SETTINGS, NULL, \
        create_function                                                                                         \
  }

/* A plugin that is right but for `abi_number`, `plugin_name` and `init_function`. */
#define PLUGIN(abi_number, plugin_name, factory_list, init_function)                                            \
  {                                                                                                             \
    sizeof(sp_plugin), abi_number, 0, 0, "org.sallyport.test.bad", plugin_name, "1.0.0", "tests", factory_list, \
        init_function, NULL, NULL                                                                               \
  }

#endif
