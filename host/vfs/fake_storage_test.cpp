// SPDX-License-Identifier: Apache-2.0
//
// The tables of the fake storage. The only file of this folder that knows the C ABI.
#include "host/vfs/fake_storage_test.h"

#include <sallyport/ext/storage_ext.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace host::vfs::testing {
namespace {

struct FakeStorage : sp_storage {
  FakeDisk* disk;
};
struct FakeFs : sp_fs {
  FakeDisk* disk;
};
struct FakeFile : sp_file {
  FakeDisk* disk;
  std::string path;
  bool append;
  std::unique_ptr<FakeNode> unseen;  // of a file that gets its name when it is closed
};
struct FakeDir : sp_dir {
  FakeDisk* disk;
  std::vector<std::string> names;
  std::string parent;
};

FakeDisk& disk_of(sp_fs* fs) { return *static_cast<FakeFs*>(fs)->disk; }
FakeDisk& disk_of(sp_file* file) { return *static_cast<FakeFile*>(file)->disk; }
FakeNode* node_of(sp_file* file) {
  if (auto* unseen = static_cast<FakeFile*>(file)->unseen.get()) return unseen;
  auto& nodes = disk_of(file).nodes;
  const auto found = nodes.find(static_cast<FakeFile*>(file)->path);
  return found == nodes.end() ? nullptr : &found->second;
}
std::string text(sp_str str) { return {str.ptr, str.len}; }

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Notes the call; what a test wants to fail fails here.
sp_status enter(FakeDisk& disk, const std::string& name, const std::string& detail, sp_error* error) {
  const std::string call = detail.empty() ? name : name + " " + detail;
  disk.calls.push_back(call);
  if (disk.on_call) disk.on_call(call);
  const auto planned = disk.fail.find(name);
  if (planned == disk.fail.end()) return SP_OK;
  if (error != nullptr) {
    error->status = planned->second;
    std::strcpy(error->message, "the disk is on fire");
  }
  return planned->second;
}

void look_at(FakeDisk& disk, const std::string& name, const sp_op* op) {
  if (op->deadline_ns == 0) disk.endless.push_back(name);
}

void describe(const FakeNode& node, sp_attrs* out) {
  const std::uint32_t size = out->struct_size;
  *out = node.attrs;
  out->struct_size = size;
  out->valid |= SP_ATTR_TYPE | SP_ATTR_SIZE;
  out->type = node.type;
  out->size = node.data.size();
}

void apply(FakeDisk& disk, FakeNode& node, const sp_attrs* attrs) {
  disk.last_set = attrs->valid;
  disk.last_attrs = *attrs;
  if ((attrs->valid & SP_ATTR_SIZE) != 0) node.data.resize(attrs->size);
  if ((attrs->valid & SP_ATTR_MTIME) != 0) node.attrs.mtime_ns = attrs->mtime_ns;
  node.attrs.valid |= attrs->valid & SP_ATTR_MTIME;
}

sp_status stat_path(sp_fs* fs, const sp_op* op, sp_str path, uint32_t, sp_attrs* out, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  look_at(disk, "stat", op);
  if (const auto status = enter(disk, "stat", text(path), error); status != SP_OK) return status;
  const auto node = disk.nodes.find(text(path));
  if (node == disk.nodes.end()) return SP_E_NOT_FOUND;
  describe(node->second, out);
  return SP_OK;
}

sp_status set_path(sp_fs* fs, const sp_op*, sp_str path, uint32_t, const sp_attrs* attrs, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, "set_attrs", text(path), error); status != SP_OK) return status;
  const auto node = disk.nodes.find(text(path));
  if (node == disk.nodes.end()) return SP_E_NOT_FOUND;
  apply(disk, node->second, attrs);
  return SP_OK;
}

sp_status read_at(sp_file* file, const sp_op*, void* buf, size_t len, uint64_t offset, size_t* got,
                  sp_error* error) noexcept {
  if (const auto status = enter(disk_of(file), "read", "", error); status != SP_OK) return status;
  const std::string& data = node_of(file)->data;
  *got = offset < data.size() ? std::min<size_t>(len, data.size() - offset) : 0;
  if (*got != 0) std::memcpy(buf, data.data() + offset, *got);
  return SP_OK;
}

sp_status write_at(sp_file* file, const sp_op*, const void* buf, size_t len, uint64_t offset,
                   sp_error* error) noexcept {
  if (const auto status = enter(disk_of(file), "write", "", error); status != SP_OK) return status;
  std::string& data = node_of(file)->data;
  if (static_cast<FakeFile*>(file)->append) offset = data.size();
  if (data.size() < offset + len) data.resize(offset + len);
  std::memcpy(data.data() + offset, buf, len);
  return SP_OK;
}

sp_status stat_file(sp_file* file, const sp_op*, sp_attrs* out, sp_error*) noexcept {
  describe(*node_of(file), out);
  return SP_OK;
}

sp_status set_file(sp_file* file, const sp_op*, const sp_attrs* attrs, sp_error* error) noexcept {
  if (const auto status = enter(disk_of(file), "fset_attrs", "", error); status != SP_OK) return status;
  apply(disk_of(file), *node_of(file), attrs);
  return SP_OK;
}

sp_status sync_file(sp_file* file, const sp_op*, sp_error* error) noexcept {
  return enter(disk_of(file), "sync", "", error);
}

sp_status close_file(sp_file* file, const sp_op*, uint32_t how, sp_error* error) noexcept {
  const std::unique_ptr<FakeFile> own(static_cast<FakeFile*>(file));
  ++(how == SP_CLOSE_COMMIT ? own->disk->closed_commit : own->disk->closed_abort);
  const auto status = enter(*own->disk, "close", "", error);
  if (status == SP_OK && how == SP_CLOSE_COMMIT && own->unseen) own->disk->nodes[own->path] = *own->unseen;
  return status;
}

sp_status copy_range(sp_file* from, const sp_op* op, uint64_t from_offset, uint64_t len, sp_file* to,
                     uint64_t to_offset, uint64_t* copied, sp_error* error) noexcept {
  if (const auto status = enter(disk_of(from), "copy", "", error); status != SP_OK) return status;
  const std::string& data = node_of(from)->data;
  // At most three bytes a time, so that callers must come back for the rest.
  const auto some = from_offset < data.size() ? std::min<uint64_t>({len, 3, data.size() - from_offset}) : 0;
  *copied = some;
  const std::string piece = data.substr(std::min<size_t>(from_offset, data.size()), some);
  return some == 0 ? SP_OK : write_at(to, op, piece.data(), piece.size(), to_offset, error);
}

const void* file_extension(sp_file* file, const char* id) noexcept {
  static const sp_ext_copy_range kCopy = {copy_range};
  return disk_of(file).extensions && std::string_view(id) == SP_EXT_COPY_RANGE ? &kCopy : nullptr;
}

sp_status open_file(sp_fs* fs, const sp_op*, sp_str path, const sp_open_args* args, sp_file** out,
                    sp_error* error) noexcept {
  static const sp_file_ops kOps = {sizeof(sp_file_ops), 0,          read_at,       write_at, stat_file, set_file,
                                   sync_file,           close_file, file_extension};
  FakeDisk& disk = disk_of(fs);
  const std::string name = text(path);
  if (const auto status = enter(disk, "open", name, error); status != SP_OK) return status;
  disk.last_open_flags = args->flags;
  const auto node = disk.nodes.find(name);
  const bool publishes = (disk.flags & SP_FS_PUBLISH_ON_CLOSE) != 0 && (args->flags & SP_OPEN_WRITE) != 0;
  std::unique_ptr<FakeNode> unseen = publishes ? std::make_unique<FakeNode>() : nullptr;
  if (node == disk.nodes.end()) {
    if ((args->flags & SP_OPEN_CREATE) == 0) return SP_E_NOT_FOUND;
    disk.last_perms = args->attrs->perms;
    if (!publishes) disk.file(name, "");
  } else {
    if ((args->flags & SP_OPEN_EXCLUSIVE) != 0) return SP_E_EXISTS;
    if ((args->flags & SP_OPEN_WRITE) != 0 && node->second.type == SP_TYPE_DIR) return SP_E_IS_DIR;
    const bool empties = (args->flags & SP_OPEN_TRUNCATE) != 0;
    if (publishes && !empties) *unseen = node->second;
    if (!publishes && empties) node->second.data.clear();
  }
  auto file = std::make_unique<FakeFile>();
  file->ops = &kOps;
  file->disk = &disk;
  file->path = name;
  file->append = (args->flags & SP_OPEN_APPEND) != 0;
  file->unseen = std::move(unseen);
  *out = file.release();
  return SP_OK;
}

sp_status next_entries(sp_dir* dir, const sp_op*, uint32_t max, const sp_entry_sink* sink, uint32_t* at_end,
                       sp_error* error) noexcept {
  auto* self = static_cast<FakeDir*>(dir);
  if (const auto status = enter(*self->disk, "next", "", error); status != SP_OK) return status;
  for (; max > 0 && !self->names.empty(); --max) {
    sp_attrs attrs{};
    attrs.struct_size = sizeof attrs;
    const std::string& name = self->names.front();
    describe(self->disk->nodes.at((self->parent == "/" ? "" : self->parent) + "/" + name), &attrs);
    const sp_entry entry = {sizeof(sp_entry), 0, {name.data(), name.size()}, &attrs};
    if (sink->add(sink->ctx, &entry) == SP_E_FULL) return SP_OK;
    self->names.erase(self->names.begin());
  }
  *at_end = self->names.empty() ? 1 : 0;
  return SP_OK;
}

void close_dir(sp_dir* dir) noexcept { delete static_cast<FakeDir*>(dir); }

sp_status open_dir(sp_fs* fs, const sp_op*, sp_str path, sp_dir** out, sp_error* error) noexcept {
  static const sp_dir_ops kOps = {sizeof(sp_dir_ops), 0, next_entries, close_dir};
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, "open_dir", text(path), error); status != SP_OK) return status;
  auto dir = std::make_unique<FakeDir>();
  dir->ops = &kOps;
  dir->disk = &disk;
  dir->parent = text(path);
  for (const auto& [name, node] : disk.nodes) {
    if (name != "/" && parent_of(name) == dir->parent) dir->names.push_back(name.substr(name.rfind('/') + 1));
  }
  *out = dir.release();
  return SP_OK;
}

sp_status open_tree(sp_fs* fs, const sp_op* op, sp_str path, sp_dir** out, sp_error* error) noexcept {
  if (const auto status = open_dir(fs, op, path, out, error); status != SP_OK) return status;
  auto* const dir = static_cast<FakeDir*>(*out);
  dir->disk->calls.back() = "open_tree " + text(path);
  dir->names.clear();
  const std::string below = dir->parent == "/" ? "/" : dir->parent + "/";
  for (const auto& [name, node] : dir->disk->nodes) {
    if (name.starts_with(below) && node.type == SP_TYPE_FILE) dir->names.push_back(name.substr(below.size()));
  }
  return SP_OK;
}

sp_status make_dir(sp_fs* fs, const sp_op* op, sp_str path, const sp_attrs* attrs, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  look_at(disk, "mkdir", op);
  if (const auto status = enter(disk, "mkdir", text(path), error); status != SP_OK) return status;
  if (disk.has(text(path))) return SP_E_EXISTS;
  disk.last_perms = attrs->perms;
  disk.dir(text(path));
  return SP_OK;
}

sp_status remove_node(sp_fs* fs, const sp_op*, sp_str path, uint32_t kind, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, kind == SP_REMOVE_DIR ? "rmdir" : "remove", text(path), error); status != SP_OK) {
    return status;
  }
  return disk.nodes.erase(text(path)) != 0 ? SP_OK : SP_E_NOT_FOUND;
}

sp_status rename_node(sp_fs* fs, const sp_op*, sp_str from, sp_str to, uint32_t flags, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, "rename", text(from) + " " + text(to), error); status != SP_OK) return status;
  if (!disk.has(text(from))) return SP_E_NOT_FOUND;
  if ((flags & SP_RENAME_ONLY_DIR) != 0 && disk.nodes[text(from)].type != SP_TYPE_DIR) return SP_E_NOT_DIR;
  if (disk.has(text(to)) && (flags & SP_RENAME_REPLACE) == 0) return SP_E_EXISTS;
  disk.nodes[text(to)] = disk.nodes[text(from)];
  disk.nodes.erase(text(from));
  return SP_OK;
}

sp_status make_link(sp_fs* fs, const sp_op*, sp_str target, sp_str link, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, "symlink", text(target) + " " + text(link), error); status != SP_OK)
    return status;
  disk.nodes[text(link)] = {SP_TYPE_SYMLINK, text(target), {}};
  return SP_OK;
}

sp_status read_link(sp_fs* fs, const sp_op*, sp_str path, const sp_sink* sink, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, "read_link", text(path), error); status != SP_OK) return status;
  const std::string& target = disk.nodes.at(text(path)).data;
  return sink->write(sink->ctx, {target.data(), target.size()});
}

sp_status hard_link(sp_fs* fs, const sp_op*, sp_str from, sp_str to, sp_error* error) noexcept {
  FakeDisk& disk = disk_of(fs);
  if (const auto status = enter(disk, "link", text(from) + " " + text(to), error); status != SP_OK) return status;
  disk.nodes[text(to)] = disk.nodes[text(from)];
  return SP_OK;
}

sp_status free_space(sp_fs* fs, const sp_op*, sp_str path, sp_statvfs* out, sp_error* error) noexcept {
  out->blocks = 77;
  return enter(disk_of(fs), "statvfs", text(path), error);
}

sp_status real_path(sp_fs* fs, sp_str path, const sp_sink* sink, sp_error*) noexcept {
  const std::string real = disk_of(fs).real_root + text(path);
  return sink->write(sink->ctx, {real.data(), real.size()});
}

sp_status owner_name(sp_fs* fs, uint32_t id, const sp_sink* sink, sp_error* error) noexcept {
  (void)enter(disk_of(fs), "owner", std::to_string(id), error);
  return id == 1000 ? sink->write(sink->ctx, {"alice", 5}) : SP_E_NOT_FOUND;
}

const void* fs_extension(sp_fs* fs, const char* id_text) noexcept {
  static const sp_ext_statvfs kStatvfs = {free_space};
  static const sp_ext_hard_link kHardLink = {hard_link};
  static const sp_ext_copy_range kCopy = {copy_range};
  static const sp_ext_real_path kRealPath = {real_path};
  static const sp_ext_tree kTree = {open_tree};
  static const sp_ext_owner_names kOwners = {owner_name, owner_name};
  const std::string_view id = id_text;
  if (id == SP_EXT_REAL_PATH) return &kRealPath;
  if (id == SP_EXT_TREE) return disk_of(fs).tree ? &kTree : nullptr;
  if (!disk_of(fs).extensions) return nullptr;
  if (id == SP_EXT_STATVFS) return &kStatvfs;
  if (id == SP_EXT_HARD_LINK) return &kHardLink;
  if (id == SP_EXT_COPY_RANGE) return &kCopy;
  return id == SP_EXT_OWNER_NAMES ? static_cast<const void*>(&kOwners) : nullptr;
}

void unmount(sp_fs* fs) noexcept {
  disk_of(fs).mounted = false;
  delete static_cast<FakeFs*>(fs);
}

void fill_caps(sp_fs* fs, sp_fs_caps* out) noexcept {
  out->flags = disk_of(fs).flags;
  out->max_inflight = 4;
}

sp_status mount_fs(sp_storage* storage, const sp_op* op, const sp_mount_args*, sp_fs** out, sp_error*) noexcept {
  static const sp_fs_ops kOps = {sizeof(sp_fs_ops), 0,         unmount,   fill_caps,   stat_path,
                                 set_path,          open_file, open_dir,  make_dir,    remove_node,
                                 rename_node,       make_link, read_link, fs_extension};
  auto* fs = new FakeFs;
  fs->ops = &kOps;
  fs->disk = static_cast<FakeStorage*>(storage)->disk;
  fs->disk->mounted = true;
  look_at(*fs->disk, "mount", op);
  *out = fs;
  return SP_OK;
}

void destroy(sp_storage* storage) noexcept { delete static_cast<FakeStorage*>(storage); }
const void* storage_extension(sp_storage*, const char*) noexcept { return nullptr; }

FakeStorage* storage_of(FakeDisk& disk) {
  static const sp_storage_ops kOps = {sizeof(sp_storage_ops), 0, destroy, mount_fs, storage_extension};
  auto* storage = new FakeStorage;
  storage->ops = &kOps;
  storage->disk = &disk;
  return storage;
}

FakeDisk* plugin_disk = nullptr;
sp_status create(const sp_host*, sp_str, void** out, sp_error*) noexcept {
  *out = storage_of(*plugin_disk);
  return SP_OK;
}

}  // namespace

std::unique_ptr<plugin::Fs> mount_fake(FakeDisk& disk) {
  auto fs = std::make_shared<plugin::Storage>("fake", storage_of(disk))->mount({}, {});
  return *std::move(fs);
}

const sp_plugin* fake_plugin(FakeDisk& disk) {
  static const sp_factory kFactory = {
      sizeof(sp_factory), SP_KIND_STORAGE, SP_STORAGE_ABI, 0, "fs-local", "", nullptr, nullptr, create};
  static const sp_factory* const kFactories[] = {&kFactory, nullptr};
  static const sp_plugin kPlugin = {sizeof(sp_plugin), SP_ABI,  0,       0,      "test.fake", "fs-local", "1", "",
                                    kFactories,        nullptr, nullptr, nullptr};
  plugin_disk = &disk;
  return &kPlugin;
}

}  // namespace host::vfs::testing
