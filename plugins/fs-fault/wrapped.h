// SPDX-License-Identifier: Apache-2.0
//
// The storage that is passed on to: from another plugin's library, made by its own factory.
#pragma once

#include <sallyport/storage.h>
#include <memory>
#include <sallyport/cpp/plugin.hpp>
#include <string>

namespace fs_fault {

struct StorageDeleter {
  void operator()(sp_storage* storage) const { storage->ops->destroy(storage); }
};
using StoragePtr = std::unique_ptr<sp_storage, StorageDeleter>;

// `library`: the plugin's file; empty: NAME with our own file's ending, beside it. Settings are what the plugin's
// create gets: nobody checks them against its schema. The library stays loaded. [setup]
sallyport::Outcome<StoragePtr> make_wrapped(const sp_host& host, const std::string& name, const std::string& library,
                                            const std::string& settings_json);

// One call of the wrapped storage, with its error as ours.
template <class Call>
sallyport::Outcome<void> pass(Call&& call) {
  sp_error error{};
  error.struct_size = sizeof error;
  const sp_status status = call(&error);
  if (status == SP_OK) return {};
  return sallyport::Failure{status, error.message, error.native_code};
}

inline sallyport::Failure lacking(const char* what) {
  return {SP_E_UNSUPPORTED, std::string("the wrapped storage cannot ") + what, 0};
}

}  // namespace fs_fault
