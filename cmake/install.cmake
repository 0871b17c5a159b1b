# SPDX-License-Identifier: Apache-2.0
# What an installed tree holds besides executable, sample configuration, plugins and SDK headers, which their own folders
# install. Nothing is put into /etc. tests/package compares the whole list.
install(FILES LICENSE README.md ARCHITECTURE.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES sdk/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR}/sdk)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS
  FILES_MATCHING PATTERN "*.md" PATTERN "sallyport.json" PATTERN "sallyport.service" PATTERN "*.sh" PATTERN "*.py")
install(DIRECTORY sdk/schema DESTINATION ${CMAKE_INSTALL_DATADIR}/sallyport FILES_MATCHING PATTERN "*.json")

# For plugins built elsewhere: find_package(sallyport-sdk) gives sallyport::sdk, the headers of wherever the tree lies.
include(CMakePackageConfigHelpers)
set(sdk_package lib/cmake/sallyport-sdk)  # found there on every system, as the plugins are
add_library(sallyport_sdk_package INTERFACE)
set_target_properties(sallyport_sdk_package PROPERTIES EXPORT_NAME sdk)
install(TARGETS sallyport_sdk_package EXPORT sallyport-sdk INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT sallyport-sdk FILE sallyport-sdk-config.cmake NAMESPACE sallyport:: DESTINATION ${sdk_package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sallyport-sdk-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${CMAKE_BINARY_DIR}/sallyport-sdk-config-version.cmake DESTINATION ${sdk_package})
