# SPDX-License-Identifier: Apache-2.0
# Build options, warning flags and sanitizers: everything a preset can turn.
option(SALLYPORT_TESTS "build unit and black-box tests" ON)
option(SALLYPORT_BENCH "build the benchmark client" ON)
option(SALLYPORT_FAST_SOCKET "interpose recv/send/poll below libssh to save system calls" ON)
option(SALLYPORT_FUZZ "build libFuzzer targets (clang only)" OFF)
set(SALLYPORT_SANITIZE "" CACHE STRING "sanitizers, as for -fsanitize=")

# Flags for everything we compile ourselves. Plugins take them too.
add_library(sallyport_warnings INTERFACE)
target_compile_options(sallyport_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual>)

# Half of a build's time went into optimising assertions.
add_library(sallyport_test_code INTERFACE)
target_link_libraries(sallyport_test_code INTERFACE sallyport_warnings GTest::gtest_main)
target_compile_options(sallyport_test_code INTERFACE $<$<NOT:$<CONFIG:Debug>>:-O1>)

if(SALLYPORT_SANITIZE)
  add_compile_options(-fsanitize=${SALLYPORT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SALLYPORT_SANITIZE})
  # Instrumented library templates look uninitialised to GCC 12; the other builds still look.
  target_compile_options(sallyport_warnings INTERFACE -Wno-maybe-uninitialized)
  if(SALLYPORT_SANITIZE MATCHES "thread")
    # The thread sanitizer knows no fences; Asio's queues have locks besides.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  # The sanitizer runtimes interpose the same calls.
  set(SALLYPORT_FAST_SOCKET OFF)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(SALLYPORT_PLUGIN_OUTPUT_DIR ${CMAKE_BINARY_DIR}/lib/sallyport/plugins)
set(SALLYPORT_PLUGIN_INSTALL_DIR lib/sallyport/plugins)  # beside bin/, where the executable looks

# Clang before 17 has coroutines, and does not tell the C++ library of GCC so.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 17)
  add_compile_definitions(__cpp_impl_coroutine=201902L)
endif()
