/* SPDX-License-Identifier: Apache-2.0
 *
 * Pins the ABI: compiling this proves sizes, offsets and constants on 64-bit systems, running it prints the layout for
 * comparison with sdk/abi/draft0.golden.txt. The list of everything is layout.inc.
 */
#include <sallyport/abi.h>
#include <stdio.h>
#include <string.h>

#if UINTPTR_MAX == UINT64_MAX
#define STRUCT(name, size) _Static_assert(sizeof(name) == (size), "size of " #name);
#define MEMBER(name, field, offset) _Static_assert(offsetof(name, field) == (offset), "offset of " #name "." #field);
#define NUMBER(name, value) _Static_assert((name) == (value), "value of " #name);
#define TEXT(name, value) _Static_assert(sizeof(name) == sizeof(value), "length of " #name);
#include "layout.inc"
#undef STRUCT
#undef MEMBER
#undef NUMBER
#undef TEXT
#endif

#define STRUCT(name, size) printf("struct %s size %zu\n", #name, sizeof(name));
#define MEMBER(name, field, offset) \
  printf("member %s.%s offset %zu size %zu\n", #name, #field, offsetof(name, field), sizeof(((name *)0)->field));
#define NUMBER(name, value) printf("number %s %lld\n", #name, (long long)(name));
#define TEXT(name, value) printf("text %s %s\n", #name, name);

int main(void) {
#include "layout.inc"
  return 0;
}
