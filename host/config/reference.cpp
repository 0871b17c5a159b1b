// SPDX-License-Identifier: Apache-2.0
//
// Text made from the table of keys. Pure functions.
#include "host/config/reference.h"

#include "host/config/assign_json.h"
#include "host/config/shown_json.h"

namespace host::config {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made by `sallyport check-config --reference`; edit host/config/keys.cpp instead. -->
# Configuration

Sallyport reads one file and the environment at start. `sallyport check-config` tells whether a start would succeed with
them, `sallyport check-config --print` which values are in force. It loads the plugins, reads the files that keys name and
looks at the tables of the database, beside a running server as well, and makes and changes nothing; only what a crash
left in the log of an SQLite database (`-wal`) may be put where it belongs, as by whoever opens it next. It does not see
whether ports are free, asks no other machine (stores, services of hooks) and reads no account of a database.

**File.** `NAME.json`, where NAME comes from `--config-file`; without it `sallyport`, then `sftpgo`. Searched in the
configuration directory, `$HOME/.config/sallyport`, `/etc/sallyport`, `$HOME/.config/sftpgo`, `/etc/sftpgo` and the
working directory; the first match wins. Names of keys match in any case, a key that is not given keeps its default, and
a list replaces the default list. Without any file the defaults hold.

**Environment.** `SFTPGO_`, then the key in capitals with `__` between its parts, sets any key and wins over the file:
`SFTPGO_SFTPD__BIND_PORT=2222`. Lists are separated by commas: `SFTPGO_SFTPD__CIPHERS=aes256-gcm@openssh.com,aes256-ctr`.
In names of plugins `_` stands for `-`, and values of their settings are JSON or, failing that, text:
`SFTPGO_PLUGINS__STORAGE__FS_LOCAL='{"create_home": false}'` or `SFTPGO_PLUGINS__STORAGE__FS_LOCAL__CREATE_HOME=false`.

**Mistakes.** A wrong type or value stops the start; the message names the file or variable, the key, what was found
and what is allowed; `null` is as if the key were not there. An unknown key or section is a warning that names the
known one it resembles; what it says has no effect.

Relative paths start at the configuration directory: `--config-dir`, else `SFTPGO_CONFIG_DIR`, else the working directory,
wherever the file was found. Keys marked + are not in SFTPGo 0.9.5; values of keys marked # are
never shown, and of URLs only the scheme and the server are. SIGHUP makes a running server read all this again: keys
marked ~ then hold for new connections, and for each other key that has changed the log says that it waits for the next
start. A configuration with a mistake is refused as a whole, and the old one stays in force.
)";

std::string escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string_view section_of(std::string_view path) { return path.substr(0, path.find('.')); }

}  // namespace

std::string reference_page() {
  const Config defaults;
  std::string page(kIntroduction);
  std::string_view section;
  for (const Key& key : keys()) {
    if (section_of(key.path) != section) {
      section = section_of(key.path);
      page +=
          "\n## " + std::string(section) + "\n\n| key | type | default | allowed | meaning |\n|---|---|---|---|---|\n";
    }
    const std::string marks = std::string(key.has(Key::kOurs) ? " +" : "") + (key.has(Key::kSecret) ? " #" : "") +
                              (key.has(Key::kLive) ? " ~" : "");
    page += "| `" + std::string(key.path.substr(section.size() + 1)) + "`" + marks + " | " +
            std::string(type_name(key)) + " | `" + value_text(defaults, key) + "` | " + escaped(allowed_values(key)) +
            " | " + escaped(std::string(key.doc)) + " |\n";
  }
  return page;
}

std::string values_in_force(const Config& config) {
  const Config defaults;
  std::string text;
  for (const Key& key : keys()) {
    const auto value = value_text(config, key);
    const bool changed = value != value_text(defaults, key);
    text += std::string(changed ? "* " : "  ") + std::string(key.path) + " = " +
            (changed ? shown_value(key, Tree::parse(value)) : value) + "\n";
  }
  return text;
}

}  // namespace host::config
