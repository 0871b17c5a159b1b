# SPDX-License-Identifier: Apache-2.0
# host_library(NAME SOURCES a.cpp ... USES core vfs ... LINK pkg ... TESTS a_test.cpp ... TEST_LINK pkg ...)
# One folder of host/ is one static library host_NAME. USES names host folders on lower floors and becomes
# visible to dependants; LINK names third-party targets and stays private to the folder.
# Unit tests of the folder become one program host_NAME_test.
function(host_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES;LINK;TESTS;TEST_LINK" ${ARGN})
  add_library(host_${name} STATIC ${arg_SOURCES})
  target_include_directories(host_${name} PUBLIC ${PROJECT_SOURCE_DIR})
  foreach(lower IN LISTS arg_USES)
    target_link_libraries(host_${name} PUBLIC host_${lower})
  endforeach()
  target_link_libraries(host_${name} PRIVATE ${arg_LINK} sallyport_warnings)
  if(SALLYPORT_TESTS AND arg_TESTS)
    add_executable(host_${name}_test ${arg_TESTS})
    target_link_libraries(host_${name}_test PRIVATE host_${name} ${arg_LINK} ${arg_TEST_LINK} sallyport_test_code)
    sallyport_unit_test(host_${name}_test unit.${name})
  endif()
endfunction()
