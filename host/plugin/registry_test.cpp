// SPDX-License-Identifier: Apache-2.0
//
// Loading real shared libraries from tests/plugins: what is accepted, and that every refusal is one message that names
// the file, what was found and what is wanted.
#include "host/plugin/registry.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "host/core/vpath.h"

namespace host::plugin {
namespace {

namespace fs = std::filesystem;

class RegistryTest : public testing::Test {
 protected:
  RegistryTest() {
    std::string pattern = (fs::temp_directory_path() / "registry-test-XXXXXX").string();
    scratch_ = mkdtemp(pattern.data());
  }
  ~RegistryTest() override { fs::remove_all(scratch_); }

  static RegistryOptions options() {
    RegistryOptions options;
    options.directory = TEST_PLUGIN_DIR;
    return options;
  }
  static fs::path built(const std::string& name) { return fs::path(TEST_PLUGIN_DIR) / (name + ".so"); }

  // The text of a refusal; checks that it names the plugin and is one line.
  static std::string refusal(Registry& registry, const std::string& name) {
    auto loaded = registry.load(name);
    EXPECT_FALSE(loaded) << name << " was accepted";
    if (loaded) return {};
    EXPECT_NE(loaded.error().text.find(name), std::string::npos) << loaded.error().text;
    EXPECT_EQ(loaded.error().text.find('\n'), std::string::npos) << loaded.error().text;
    return loaded.error().text;
  }
  static void expect_refusal(const std::string& name, const std::string& found, const std::string& wanted) {
    Registry registry(options());
    const auto text = refusal(registry, name);
    EXPECT_NE(text.find((built(name)).string()), std::string::npos) << text;
    EXPECT_NE(text.find(found), std::string::npos) << text;
    EXPECT_NE(text.find(wanted), std::string::npos) << text;
  }
  std::string refusal_of_copy(const std::function<void(const fs::path&)>& spoil) const {
    const auto copy = scratch_ / "fs-slow.so";
    fs::copy_file(built("fs-slow"), copy);
    spoil(copy);
    RegistryOptions opts;
    opts.directory = scratch_;
    Registry registry(opts);
    return refusal(registry, "fs-slow");
  }

  fs::path scratch_;
};

TEST_F(RegistryTest, LoadsAndDescribes) {
  Registry registry(options());
  auto info = registry.load("fs-slow");
  ASSERT_TRUE(info) << info.error().text;
  EXPECT_EQ((*info)->name, "fs-slow");
  EXPECT_EQ((*info)->file, built("fs-slow").string());
  ASSERT_EQ((*info)->factories.size(), 1u);
  EXPECT_EQ((*info)->factories[0].kind, Kind::kStorage);
  EXPECT_NE((*info)->factories[0].config_schema.find("delay_ms"), std::string::npos);
  EXPECT_EQ(*registry.load("fs-slow"), *info) << "loaded twice";
}

TEST_F(RegistryTest, ListsWithoutLoading) {
  auto opts = options();
  opts.paths = {"/elsewhere/fs-far.so"};
  const auto names = Registry(opts).available();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"bad-draft", "fs-far", "fs-slow"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

TEST_F(RegistryTest, RefusesWhatIsWrongInThePlugin) {
  expect_refusal("bad-symbol", "without the symbol sp_plugin_v1", "wanted");
  expect_refusal("bad-null", "NULL from sp_plugin_v1", "wanted");
  expect_refusal("bad-draft", "plugin ABI draft 1", "wanted draft 0");
  expect_refusal("bad-kind", "storage ABI draft 7", "wanted draft 0");
  expect_refusal("bad-name", "calls itself \"fs-other\"", "wanted \"bad-name\"");
  expect_refusal("bad-init", "init failed", "threw an unknown exception");
}

TEST_F(RegistryTest, RefusesAMissingFileAndNamesWhatThereIs) {
  Registry registry(options());
  EXPECT_NE(refusal(registry, "fs-none").find("plugins that are there: bad-create, bad-draft"), std::string::npos);
  EXPECT_NE(refusal(registry, "../fs-slow").find("found a name that is none"), std::string::npos);
  RegistryOptions opts;
  opts.directory = scratch_ / "nowhere";
  Registry empty(opts);
  EXPECT_NE(refusal(empty, "fs-none").find("plugins that are there: none"), std::string::npos);
}

TEST_F(RegistryTest, RefusesCorruptFiles) {
  const auto text =
      refusal_of_copy([](const fs::path& copy) { std::ofstream(copy, std::ios::trunc) << "this is no library"; });
  EXPECT_NE(text.find("no shared library"), std::string::npos) << text;
}

TEST_F(RegistryTest, RefusesFilesCutShort) {
  const auto text = refusal_of_copy([](const fs::path& copy) { fs::resize_file(copy, 1024); });
  EXPECT_NE(text.find("cut short"), std::string::npos) << text;
}

TEST_F(RegistryTest, RefusesWorldWritableFiles) {
  const auto text = refusal_of_copy(
      [](const fs::path& copy) { fs::permissions(copy, fs::perms::others_write, fs::perm_options::add); });
  EXPECT_NE(text.find("everybody may write"), std::string::npos) << text;
}

TEST_F(RegistryTest, RefusesWorldWritableDirectoriesWithoutStickyBit) {
  const auto text = refusal_of_copy([](const fs::path& copy) { fs::permissions(copy.parent_path(), fs::perms::all); });
  EXPECT_NE(text.find("directory that everybody may write"), std::string::npos) << text;
  fs::permissions(scratch_, fs::perms::all | fs::perms::sticky_bit);
  RegistryOptions opts;
  opts.directory = scratch_;
  EXPECT_TRUE(Registry(opts).load("fs-slow"));
}

TEST_F(RegistryTest, FollowsLinksButChecksWhereTheyLead) {
  fs::create_directory(scratch_ / "open");
  fs::copy_file(built("fs-slow"), scratch_ / "open" / "fs-slow.so");
  fs::permissions(scratch_ / "open", fs::perms::all);
  fs::create_symlink("open/fs-slow.so", scratch_ / "fs-slow.so");
  RegistryOptions opts;
  opts.directory = scratch_;
  Registry registry(opts);
  EXPECT_NE(refusal(registry, "fs-slow").find("directory that everybody may write"), std::string::npos);
}

TEST_F(RegistryTest, ChecksThePin) {
  auto opts = options();
  opts.sha256["fs-slow"] = std::string(64, '0');
  Registry wrong(opts);
  const auto text = refusal(wrong, "fs-slow");
  EXPECT_NE(text.find("wanted " + std::string(64, '0') + " as pinned"), std::string::npos) << text;

  // The refusal says what it found: pinning that must let it in, in either case of letters.
  const auto begin = text.find("found SHA-256 ") + std::string("found SHA-256 ").size();
  std::string digest = text.substr(begin, 64);
  std::transform(digest.begin(), digest.end(), digest.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  opts.sha256["fs-slow"] = digest;
  auto right = Registry(opts).load("fs-slow");
  EXPECT_TRUE(right) << right.error().text;

  opts.sha256["fs-slow"] = "abc";
  Registry malformed(opts);
  EXPECT_NE(refusal(malformed, "fs-slow").find("64 hexadecimal digits"), std::string::npos);
}

TEST_F(RegistryTest, TakesExplicitPathsFirst) {
  fs::copy_file(built("fs-slow"), scratch_ / "fs-slow.so");
  auto opts = options();
  opts.paths = {scratch_ / "fs-slow.so"};
  auto info = Registry(opts).load("fs-slow");
  ASSERT_TRUE(info) << info.error().text;
  opts.paths = {"relative/fs-slow.so"};
  Registry relative(opts);
  EXPECT_NE(refusal(relative, "fs-slow").find("wanted an absolute one"), std::string::npos);
}

TEST_F(RegistryTest, MakesAStorageThatWorks) {
  auto opts = options();
  opts.storage_config["fs-slow"] = R"({"delay_ms": 0})";
  Registry registry(opts);
  auto storage = registry.storage("fs-slow");
  ASSERT_TRUE(storage) << storage.error().text;
  EXPECT_EQ((*registry.storage("fs-slow")).get(), storage->get()) << "one backend, one object";

  MountArgs args;
  args.root = (scratch_ / "home").string();
  auto mounted = (*storage)->mount({}, args);
  ASSERT_TRUE(mounted) << mounted.error().text;
  auto& mount = **mounted;
  EXPECT_TRUE(mount.caps().has(FsCaps::kParallelIo));
  EXPECT_FALSE(mount.caps().has(FsCaps::kSymlinks));

  OpenArgs create;
  create.flags = OpenArgs::kWrite | OpenArgs::kCreate;
  auto file = mount.open({}, core::BackendPath{"/a"}, create);
  ASSERT_TRUE(file) << file.error().text;
  const std::string text = "written through the C ABI";
  ASSERT_TRUE((*file)->write_at({}, std::as_bytes(std::span(text)), 0));
  ASSERT_TRUE((*file)->close({}, true));
  auto attrs = mount.stat({}, core::BackendPath{"/a"}, true);
  ASSERT_TRUE(attrs);
  EXPECT_EQ(attrs->size, text.size());

  auto missing = mount.stat({}, core::BackendPath{"/b"}, true);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().status, core::Status::kNotFound);
  EXPECT_EQ(missing.error().native, ENOENT);
  auto link = mount.symlink({}, "/a", core::BackendPath{"/l"});
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().status, core::Status::kUnsupported);
}

TEST_F(RegistryTest, RefusesWrongSettingsOfAStorage) {
  auto opts = options();
  opts.storage_config["fs-slow"] = R"({"delay_ms": -1})";
  auto storage = Registry(opts).storage("fs-slow");
  ASSERT_FALSE(storage);
  EXPECT_EQ(storage.error().text,
            "plugins.storage.fs-slow.delay_ms: found -1, allowed is an integer, at least 0, at most 60000");
}

TEST_F(RegistryTest, ReportsAFailingCreate) {
  auto storage = Registry(options()).storage("bad-create");
  ASSERT_FALSE(storage);
  EXPECT_EQ(storage.error().status, core::Status::kNotFound);
  EXPECT_EQ(storage.error().native, 2);
  EXPECT_NE(storage.error().text.find(built("bad-create").string() + ") cannot be set up: the bucket is not there"),
            std::string::npos)
      << storage.error().text;
}

TEST_F(RegistryTest, SurvivesACreateThatThrows) {
  auto storage = Registry(options()).storage("bad-throw");
  ASSERT_FALSE(storage);
  EXPECT_NE(storage.error().text.find("threw an exception: thrown on purpose"), std::string::npos)
      << storage.error().text;
}

TEST_F(RegistryTest, NamesAMissingSlot) {
  auto storage = Registry(options()).storage("bad-slots");
  ASSERT_FALSE(storage);
  EXPECT_NE(storage.error().text.find("sp_storage_ops.mount"), std::string::npos) << storage.error().text;
}

TEST_F(RegistryTest, RefusesAStorageAsProvider) {
  auto provider = Registry(options()).make_provider("fs-slow", "{}");
  ASSERT_FALSE(provider);
  EXPECT_NE(provider.error().text.find("found a storage in it, wanted a provider"), std::string::npos)
      << provider.error().text;
}

TEST_F(RegistryTest, ChecksSettingsOfUsers) {
  Registry registry(options());
  auto none = registry.check_user_settings("fs-slow", "");
  ASSERT_TRUE(none) << none.error().text;
  EXPECT_EQ(*none, "{}");
  auto some = registry.check_user_settings("fs-slow", R"({"bucket": "x"})");
  ASSERT_FALSE(some);
  EXPECT_NE(some.error().text.find("filesystem.config.bucket: unknown; allowed are no member at all"),
            std::string::npos)
      << some.error().text;
}

}  // namespace
}  // namespace host::plugin
