// SPDX-License-Identifier: Apache-2.0
//
// Switches the terminal's echo off and surely on again. Main thread.
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>

#include "host/cli/password_input.h"
#include "host/core/limits.h"

namespace host::cli {
namespace {

class NoEcho {
 public:
  NoEcho() {
    if (::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    active_ = ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~NoEcho() {
    if (active_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool active_ = false;
};

core::Result<std::string> first_line(std::istream& in, const std::string& source) {
  std::string line;
  if (!std::getline(in, line)) return core::Error(core::Status::kInvalid, "no password in " + source);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) return core::Error(core::Status::kInvalid, "the password from " + source + " is empty");
  if (line.size() > core::limits::kMaxPasswordBytes) {
    return core::Error(core::Status::kInvalid, "the password from " + source + " is longer than " +
                                                   std::to_string(core::limits::kMaxPasswordBytes) + " bytes");
  }
  return line;
}

core::Result<std::string> ask(const char* prompt) {
  std::cerr << prompt << std::flush;
  const NoEcho no_echo;
  auto line = first_line(std::cin, "the terminal");
  std::cerr << "\n";
  return line;
}

}  // namespace

core::Result<std::string> password_from_stdin() {
  if (::isatty(STDIN_FILENO) == 0) return first_line(std::cin, "standard input");
  auto first = ask("Password: ");
  if (!first) return first;
  auto second = ask("Once more: ");
  if (!second) return second;
  if (*first != *second) return core::Error(core::Status::kInvalid, "the passwords differ");
  return first;
}

core::Result<std::string> password_from_file(const std::string& file) {
  if (file.empty()) {
    return core::Error(core::Status::kInvalid, "--password-file: found \"\", allowed is the name of a file");
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return core::Error(core::Status::kNotFound, file + ": cannot be read");
  return first_line(in, file);
}

}  // namespace host::cli
