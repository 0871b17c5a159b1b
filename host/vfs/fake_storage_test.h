// SPDX-License-Identifier: Apache-2.0
//
// A storage in memory for the tests of this folder: whole enough to rename and append, with capabilities and failures
// that a test chooses, and a list of the calls it got. One thread.
#pragma once

#include <sallyport/plugin.h>
#include <sallyport/storage.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/plugin/storage.h"

namespace host::vfs::testing {

struct FakeNode {
  std::uint32_t type = SP_TYPE_FILE;
  std::string data;  // target of a link
  sp_attrs attrs{};
};

// What the test sees and sets; the storage holds a reference.
struct FakeDisk {
  static constexpr std::uint64_t kEverything = 0x3fff;

  std::uint64_t flags = kEverything;
  bool extensions = true;  // statvfs, hard links, copies, owner names
  bool tree = false;       // lists all its files at once
  std::string real_root = "/srv/home";
  std::map<std::string, FakeNode> nodes = {{"/", {SP_TYPE_DIR, {}, {}}}};
  std::vector<std::string> calls;
  std::vector<std::string> endless;  // those that came without a deadline, where it is looked at: mount, stat, mkdir
  std::function<void(const std::string& call)> on_call;  // before it does anything
  std::map<std::string, sp_status> fail;                 // call name -> what it answers
  std::uint32_t last_open_flags = 0;
  std::uint32_t last_perms = 0;  // of the last open or mkdir
  std::uint32_t last_set = 0;    // valid bits of the last set_attrs
  sp_attrs last_attrs{};
  int closed_commit = 0, closed_abort = 0;
  bool mounted = false;

  void file(const std::string& path, const std::string& data = "data") { nodes[path] = {SP_TYPE_FILE, data, {}}; }
  void dir(const std::string& path) { nodes[path] = {SP_TYPE_DIR, {}, {}}; }
  bool has(const std::string& path) const { return nodes.contains(path); }
  const std::string& data(const std::string& path) const { return nodes.at(path).data; }
};

std::unique_ptr<plugin::Fs> mount_fake(FakeDisk& disk);
// A plugin with this storage under the name of local files. One at a time.
const sp_plugin* fake_plugin(FakeDisk& disk);

}  // namespace host::vfs::testing
