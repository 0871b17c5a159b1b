# SPDX-License-Identifier: Apache-2.0
# The target `unit_tests` is what tests of the label `unit` need: no executable, no plugin to load but the loader's own.
add_custom_target(unit_tests)

# sallyport_unit_test(PROGRAM NAME [ARGUMENT ...]): the test NAME runs the target PROGRAM.
function(sallyport_unit_test program name)
  add_dependencies(unit_tests ${program})
  add_test(NAME ${name} COMMAND ${program} ${ARGN})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 300)
endfunction()
