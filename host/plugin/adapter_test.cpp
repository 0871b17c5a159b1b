// SPDX-License-Identifier: Apache-2.0
//
// The adapters over a plugin that is linked in: what crosses the border arrives, what a mount cannot do never reaches
// the plugin, and objects are released exactly once.
#include <gtest/gtest.h>
#include <sallyport/ext/storage_ext.h>
#include <sallyport/plugin.h>
#include <sallyport/storage.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include "host/plugin/host_services.h"
#include "host/plugin/registry.h"

// Counts every allocation of this program, so that the hot path can be held to none.
// g++ 12 sees free() meet operator new here and warns, although both are these.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
namespace {
std::atomic<std::size_t> allocations = 0;
}
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace host::plugin {
namespace {

// What the fake plugin does and was asked, reset by each test.
struct Fake {
  std::uint64_t caps = SP_FS_READ_WRITE | SP_FS_RESUME;
  sp_status answer = SP_OK;
  std::size_t claimed = 0;  // what read_at says it read
  int calls = 0, closes = 0, aborts = 0, unmounts = 0, destroys = 0, deinits = 0;
  std::string mounted_root;
  sp_str borrowed_user{};
  std::uint32_t op_flags = 0;
  const sp_host* host = nullptr;
};
Fake fake;

sp_status answer(sp_error* error) {
  ++fake.calls;
  if (fake.answer != SP_OK) {
    error->native_code = 5;
    std::memset(error->message, 'x', sizeof error->message);  // a careless plugin: not terminated
  }
  return fake.answer;
}

sp_status SP_CALL read_at(sp_file*, const sp_op* op, void*, std::size_t, std::uint64_t, std::size_t* got,
                          sp_error* error) noexcept {
  fake.op_flags = op->flags;
  *got = fake.claimed;
  return answer(error);
}
sp_status SP_CALL write_at(sp_file*, const sp_op*, const void*, std::size_t, std::uint64_t, sp_error* error) noexcept {
  return answer(error);
}
sp_status SP_CALL file_stat(sp_file*, const sp_op*, sp_attrs* out, sp_error* error) noexcept {
  out->valid = SP_ATTR_SIZE | SP_ATTR_PERMS | 0x8000u;
  out->size = 7;
  out->perms = 0100644;
  out->uid = 99;  // not valid: must not arrive
  return answer(error);
}
sp_status SP_CALL file_set_attrs(sp_file*, const sp_op*, const sp_attrs*, sp_error* error) noexcept {
  return answer(error);
}
sp_status SP_CALL close_file(sp_file*, const sp_op*, std::uint32_t how, sp_error* error) noexcept {
  ++fake.closes;
  if (how == SP_CLOSE_ABORT) ++fake.aborts;
  return answer(error);
}
const sp_file_ops kFileOps{sizeof(sp_file_ops), 0,       read_at,    write_at, file_stat,
                           file_set_attrs,      nullptr, close_file, nullptr};
const sp_file_ops kReadOnlyOps{sizeof(sp_file_ops), 0,      read_at, nullptr, file_stat, nullptr, nullptr,
                               close_file,          nullptr};
sp_file the_file{&kFileOps};

void SP_CALL unmount(sp_fs*) noexcept { ++fake.unmounts; }
void SP_CALL caps(sp_fs*, sp_fs_caps* out) noexcept { out->flags = fake.caps; }
sp_status SP_CALL stat(sp_fs*, const sp_op*, sp_str, std::uint32_t, sp_attrs*, sp_error* error) noexcept {
  return answer(error);
}
sp_status SP_CALL set_attrs(sp_fs*, const sp_op*, sp_str, std::uint32_t, const sp_attrs*, sp_error* error) noexcept {
  return answer(error);
}
sp_status SP_CALL open(sp_fs*, const sp_op*, sp_str, const sp_open_args*, sp_file** out, sp_error* error) noexcept {
  *out = &the_file;
  return answer(error);
}
sp_status SP_CALL open_dir(sp_fs*, const sp_op*, sp_str, sp_dir**, sp_error* error) noexcept { return answer(error); }
sp_status SP_CALL read_link(sp_fs*, const sp_op*, sp_str, const sp_sink* sink, sp_error*) noexcept {
  const std::string part(3000, 'p');
  if (const auto status = sink->write(sink->ctx, {part.data(), part.size()}); status != SP_OK) return status;
  return sink->write(sink->ctx, {part.data(), part.size()});
}
const sp_fs_ops kFsOps{sizeof(sp_fs_ops), 0,       unmount, caps,    stat,    set_attrs, open,
                       open_dir,          nullptr, nullptr, nullptr, nullptr, read_link, nullptr};
sp_fs the_fs{&kFsOps};

void SP_CALL destroy(sp_storage*) noexcept { ++fake.destroys; }
sp_status SP_CALL mount(sp_storage*, const sp_op*, const sp_mount_args* args, sp_fs** out, sp_error* error) noexcept {
  fake.mounted_root.assign(args->root.ptr, args->root.len);
  fake.borrowed_user = args->user;
  *out = &the_fs;
  return answer(error);
}
const sp_storage_ops kStorageOps{sizeof(sp_storage_ops), 0, destroy, mount, nullptr};
sp_storage the_storage{&kStorageOps};

sp_status SP_CALL create(const sp_host* host, sp_str, void** out, sp_error*) noexcept {
  fake.host = host;
  *out = &the_storage;
  return SP_OK;
}
const sp_factory kFactory{sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "fake", "", nullptr, nullptr, create};
const sp_factory* const kFactories[] = {&kFactory, nullptr};
const sp_plugin kPlugin{sizeof(sp_plugin),
                        SP_ABI,
                        0,
                        0,
                        "test.fake",
                        "fake",
                        "1",
                        "",
                        kFactories,
                        nullptr,
                        [](void) noexcept { ++fake.deinits; },
                        nullptr};

class AdapterTest : public testing::Test {
 protected:
  void SetUp() override {
    fake = Fake();
    the_file.ops = &kFileOps;
  }
  std::unique_ptr<Fs> mounted(std::uint64_t caps_flags, const char* user = "ann") {
    fake.caps = caps_flags;
    if (!registry_.load("fake")) {
      EXPECT_TRUE(registry_.adopt(&kPlugin));
    }
    MountArgs args;
    args.user = user;  // short: lives inside the std::string object, which must not move
    args.root = "/srv/ann";
    args.session_id = 42;
    auto fs = (*registry_.storage("fake"))->mount({}, args);
    EXPECT_TRUE(fs);
    return std::move(*fs);
  }
  std::unique_ptr<File> opened(Fs& fs, std::uint32_t flags) {
    OpenArgs args;
    args.flags = flags;
    auto file = fs.open({}, core::BackendPath{"/f"}, args);
    EXPECT_TRUE(file) << file.error().text;
    return std::move(*file);
  }

  Registry registry_{RegistryOptions{}};
};

TEST_F(AdapterTest, KeepsMountArgumentsWhereThePluginSawThem) {
  const auto fs = mounted(0, "ann");
  EXPECT_EQ(fake.mounted_root, "/srv/ann");
  const auto borrowed = fake.borrowed_user;
  const auto other = mounted(0, "bob");  // would take the place of anything that lived for the call only
  EXPECT_EQ(std::string(borrowed.ptr, borrowed.len), "ann");
}

TEST_F(AdapterTest, ReadsAndWritesWithoutAllocating) {
  const auto fs = mounted(SP_FS_READ_WRITE);
  const auto file = opened(*fs, OpenArgs::kRead | OpenArgs::kWrite);
  std::array<std::byte, 64> buffer{};
  fake.claimed = buffer.size();
  const auto before = allocations.load();
  const auto got = file->read_at({}, buffer, 0);
  const auto put = file->write_at({}, buffer, 0);
  EXPECT_EQ(allocations.load(), before);
  EXPECT_TRUE(got && *got == buffer.size());
  EXPECT_TRUE(put);
}

TEST_F(AdapterTest, RefusesAnImpossibleCount) {
  const auto fs = mounted(0);
  const auto file = opened(*fs, OpenArgs::kRead);
  std::array<std::byte, 8> buffer{};
  fake.claimed = 9;
  const auto got = file->read_at({}, buffer, 0);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().status, core::Status::kInternal);
}

TEST_F(AdapterTest, AsksToAnswerAtOnceOnlyWhereThatIsPromised) {
  Op op;
  op.nowait = true;
  std::array<std::byte, 8> buffer{};
  {
    const auto fs = mounted(0);
    const auto file = opened(*fs, OpenArgs::kRead);
    fake.calls = 0;
    const auto got = file->read_at(op, buffer, 0);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().status, core::Status::kWouldBlock);
    EXPECT_EQ(fake.calls, 0);
  }
  const auto fs = mounted(SP_FS_NOWAIT_READ);
  const auto file = opened(*fs, OpenArgs::kRead);
  EXPECT_TRUE(file->read_at(op, buffer, 0));
  EXPECT_EQ(fake.op_flags, SP_OP_NOWAIT);
}

TEST_F(AdapterTest, RefusesWhatTheMountCannotDoBeforeThePluginSeesIt) {
  const auto fs = mounted(0);
  const core::BackendPath path{"/f"};
  fake.calls = 0;
  OpenArgs both;
  both.flags = OpenArgs::kRead | OpenArgs::kWrite;
  core::Attrs perms, size;
  perms.valid = core::Attrs::kPerms;
  size.valid = core::Attrs::kSize;
  EXPECT_EQ(fs->open({}, path, both).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fs->set_attrs({}, path, true, perms).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fs->set_attrs({}, path, true, size).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fs->read_link({}, path).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fs->mkdir({}, path, nullptr).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fs->rename({}, path, path, {}).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fs->hard_link({}, path, path).error().status, core::Status::kUnsupported);
  EXPECT_EQ(fake.calls, 0);
  EXPECT_EQ(fs->real_path(path), "/f");
}

TEST_F(AdapterTest, BoundsWhatASinkTakes) {
  const auto fs = mounted(SP_FS_SYMLINKS);
  const auto target = fs->read_link({}, core::BackendPath{"/f"});
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().status, core::Status::kFull);
}

TEST_F(AdapterTest, CarriesErrorsOver) {
  const auto fs = mounted(0);
  fake.answer = SP_E_NO_SPACE;
  auto failed = fs->stat({}, core::BackendPath{"/f"}, true);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().status, core::Status::kNoSpace);
  EXPECT_EQ(failed.error().native, 5);
  EXPECT_EQ(failed.error().text.size(), sizeof(sp_error::message));
  fake.answer = 12345;
  EXPECT_EQ(fs->stat({}, core::BackendPath{"/f"}, true).error().status, core::Status::kInternal);
}

TEST_F(AdapterTest, DropsAttributesThatAreNotValid) {
  const auto fs = mounted(0);
  const auto file = opened(*fs, OpenArgs::kRead);
  const auto attrs = file->stat({});
  ASSERT_TRUE(attrs);
  EXPECT_EQ(attrs->valid, core::Attrs::kSize | core::Attrs::kPerms);
  EXPECT_EQ(attrs->perms, 0644u);
  EXPECT_EQ(attrs->uid, 0u);
}

TEST_F(AdapterTest, NamesASlotThatAFileLacks) {
  the_file.ops = &kReadOnlyOps;
  const auto fs = mounted(0);
  OpenArgs args;
  args.flags = OpenArgs::kWrite;
  const auto file = fs->open({}, core::BackendPath{"/f"}, args);
  ASSERT_FALSE(file);
  EXPECT_NE(file.error().text.find("sp_file_ops.write_at"), std::string::npos);
  EXPECT_EQ(fake.aborts, 1) << "the useless file must be closed";
}

TEST_F(AdapterTest, ClosesOnceAndAbortsWhatNobodyClosed) {
  const auto fs = mounted(0);
  {
    const auto file = opened(*fs, OpenArgs::kRead);
    EXPECT_TRUE(file->close({}, true));
    EXPECT_FALSE(file->close({}, true));
  }
  EXPECT_EQ(fake.closes, 1);
  EXPECT_EQ(fake.aborts, 0);
  { const auto file = opened(*fs, OpenArgs::kRead); }
  EXPECT_EQ(fake.aborts, 1);
}

TEST_F(AdapterTest, ReleasesInOrder) {
  {
    Registry registry{RegistryOptions{}};
    ASSERT_TRUE(registry.adopt(&kPlugin));
    auto storage = registry.storage("fake");
    ASSERT_TRUE(storage);
    { auto fs = (*storage)->mount({}, {}); }
    EXPECT_EQ(fake.unmounts, 1);
    EXPECT_EQ(fake.destroys, 0);
  }
  EXPECT_EQ(fake.destroys, 1);
  EXPECT_EQ(fake.deinits, 1);
}

TEST_F(AdapterTest, TellsPluginsWhatIsCancelled) {
  auto fs = mounted(0);
  sp_op op{sizeof op, 0, 42, 0, 0};
  const auto* host = fake.host;
  EXPECT_EQ(host->cancelled(host, &op), 0u);
  fs->cancel();
  fs->cancel();
  EXPECT_EQ(host->cancelled(host, &op), 1u);
  op.session_id = 43;
  EXPECT_EQ(host->cancelled(host, &op), 0u);
  op.session_id = 42;
  fs.reset();
  EXPECT_EQ(host->cancelled(host, &op), 0u) << "a later session may have the number again";
  op.deadline_ns = 1;
  EXPECT_EQ(host->cancelled(host, &op), 1u) << "past its deadline";
}

TEST_F(AdapterTest, OffersHostExtensions) {
  static const int kTable = 1;
  HostServices services({{"host.test/1", &kTable}});
  const auto* host = services.table();
  EXPECT_EQ(host->extension(host, "host.test/1"), &kTable);
  EXPECT_EQ(host->extension(host, "host.test/2"), nullptr);
  EXPECT_EQ(host->extension(host, nullptr), nullptr);
}

TEST_F(AdapterTest, RefusesTablesThatAreTooSmall) {
  sp_plugin small = kPlugin;
  small.struct_size = sizeof(sp_plugin) - 8;
  auto adopted = registry_.adopt(&small);
  ASSERT_FALSE(adopted);
  EXPECT_NE(adopted.error().text.find("found a description of 72 bytes, wanted 80"), std::string::npos)
      << adopted.error().text;

  sp_factory tiny = kFactory;
  tiny.struct_size = 8;
  const sp_factory* const factories[] = {&tiny, nullptr};
  small = kPlugin;
  small.factories = factories;
  adopted = registry_.adopt(&small);
  ASSERT_FALSE(adopted);
  EXPECT_NE(adopted.error().text.find("a factory of 8 bytes"), std::string::npos) << adopted.error().text;
}

TEST_F(AdapterTest, RefusesBrokenSchemas) {
  sp_factory factory = kFactory;
  factory.config_schema = R"({"type": "object", "oneOf": []})";
  const sp_factory* const factories[] = {&factory, nullptr};
  sp_plugin plugin = kPlugin;
  plugin.factories = factories;
  const auto adopted = registry_.adopt(&plugin);
  ASSERT_FALSE(adopted);
  EXPECT_NE(adopted.error().text.find("found a broken config_schema"), std::string::npos) << adopted.error().text;
}

}  // namespace
}  // namespace host::plugin
