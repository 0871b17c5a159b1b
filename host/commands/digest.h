// SPDX-License-Identifier: Apache-2.0
//
// Message digests by the names of the programs that print them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace host::commands {

class Digest {
 public:
  // "md5sum", "sha256sum", ...; anything else: not valid().
  explicit Digest(std::string_view program);
  bool valid() const { return context_ != nullptr; }
  void update(std::span<const std::byte> bytes);
  std::string hex();  // the end; nothing after it

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

bool is_digest_program(std::string_view name);

}  // namespace host::commands
