# SPDX-License-Identifier: Apache-2.0
# What an installed tree holds besides executable, plugins and SDK headers, which their own folders install.
install(FILES LICENSE README.md ARCHITECTURE.md CONTRIBUTING.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
# All defaults as a file, to start a configuration from; nothing is put into /etc.
install(FILES docs/sallyport.json DESTINATION ${CMAKE_INSTALL_DATADIR}/sallyport)
