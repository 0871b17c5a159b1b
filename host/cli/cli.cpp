// SPDX-License-Identifier: Apache-2.0
//
// Parsing, and the wording of usage errors, which scripts know from the replaced system. Main thread.
#include "host/cli/cli.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "host/app/version.h"
#include "host/cli/commands.h"
#include "host/cli/context.h"

namespace host::cli {
namespace {

// "-S=false" is "--advertise-service=false": the parser takes a value behind '=' for long names only.
std::string long_form(const CLI::App& root, const std::string& command, const std::string& word) {
  const auto equals = word.find('=');
  if (equals != 2 || word[0] != '-' || word[1] == '-') return word;
  const auto found = root.get_subcommands([&](const CLI::App* each) { return each->get_name() == command; });
  if (found.empty()) return word;
  const auto* option = found.front()->get_option_no_throw(word.substr(0, equals));
  if (option == nullptr || option->get_lnames().empty()) return word;
  return "--" + option->get_lnames().front() + word.substr(equals);
}

// "--name=" gives an empty value; the parser would take the next word instead. The result is in reverse, as it wants
// it.
std::vector<std::string> words_of(const CLI::App& root, int argc, const char* const* argv) {
  std::vector<std::string> words;
  bool options = true;
  for (int i = 1; i < argc; ++i) {
    std::string word = argv[i];
    options = options && word != "--";
    if (options && i > 1) word = long_form(root, argv[1], word);
    if (options && word.starts_with("--") && word.ends_with('=')) {
      word.pop_back();
      words.push_back(std::move(word));
      words.emplace_back();
    } else {
      words.push_back(std::move(word));
    }
  }
  std::reverse(words.begin(), words.end());
  return words;
}

std::string describe(const CLI::App& root, const CLI::ParseError& error) {
  const auto rest = root.remaining(true);
  if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr || rest.empty()) return error.what();
  const auto& word = rest.front();
  if (word.starts_with("--")) return "unknown flag: " + word.substr(0, word.find('='));
  if (word.size() > 1 && word.front() == '-') return "unknown shorthand flag: '" + word.substr(1, 1) + "' in " + word;
  return "unknown command \"" + word + "\" for \"" + full_name(root) + "\"";
}

void add_help_command(Commands& commands) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto& root = commands.root();
  auto& help = commands.add(root, "help", "help about any command", [&root, names] {
    const CLI::App* command = &root;
    for (const auto& name : *names) {
      const auto found = command->get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
      if (found.empty()) {
        std::cerr << "Error: unknown command \"" << name << "\" for \"" << root.get_name() << "\"\n";
        return EXIT_FAILURE;
      }
      command = found.front();
    }
    // The root's own help would be that of the command being run, which is this one.
    std::cout << (command == &root ? root.get_formatter()->make_help(&root, root.get_name(), CLI::AppFormatMode::Normal)
                                   : help_of(*command));
    return EXIT_SUCCESS;
  });
  help.add_option("COMMAND", *names, "command to explain");
}

// What nobody will ever read was not done. A command that failed has said so.
int written(int code) {
  if (code != EXIT_SUCCESS) return code;
  const auto flushed = flush_output();
  return flushed ? code : fail(flushed.error());
}

}  // namespace

int run(int argc, const char* const* argv) {
  CLI::App root("SFTP server whose backends are plugins", "sallyport");
  root.set_version_flag("-v,--version", "Sallyport version: " + app::version(), "show the version");
  root.require_subcommand(0, 1);
  Commands commands(root);
  add_serve_command(commands);
  add_portable_command(commands);
  add_provider_command(commands);
  add_user_commands(commands);
  add_plugin_commands(commands);
  add_check_command(commands);
  add_help_command(commands);
  try {
    auto words = words_of(root, argc, argv);
    root.parse(words);
  } catch (const CLI::Success& request) {  // --help, --version
    return written(root.exit(request));
  } catch (const CLI::ParseError& error) {
    std::cerr << "Error: " << describe(root, error) << "\nRun '" << full_name(root) << " --help' for usage.\n";
    return EXIT_FAILURE;
  }
  return written(commands.act());
}

}  // namespace host::cli
