# SPDX-License-Identifier: Apache-2.0
# Third-party packages, one line each; who may use which is in ARCHITECTURE.md.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.81 REQUIRED)                      # Asio, DLL, System: headers only
find_package(Poco 1.11 REQUIRED COMPONENTS Foundation Crypto Data DataSQLite Net NetSSL Util XML)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
pkg_check_modules(libssh REQUIRED IMPORTED_TARGET libssh>=0.10.6)
pkg_check_modules(libargon2 REQUIRED IMPORTED_TARGET libargon2)
pkg_check_modules(libcrypt REQUIRED IMPORTED_TARGET libcrypt)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
find_path(CLI11_INCLUDE_DIR CLI/CLI.hpp REQUIRED)
if(SALLYPORT_TESTS)
  find_package(GTest REQUIRED)
endif()
