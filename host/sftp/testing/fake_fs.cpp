// SPDX-License-Identifier: Apache-2.0
//
// The names and the gate; open files are in fake_file.cpp. Any thread.
#include "host/sftp/testing/fake_fs.h"

#include <chrono>
#include <utility>

#include "host/sftp/testing/fake_file.h"

namespace host::sftp::testing {

using core::FileType;
using core::Status;
using vfs::Attrs;
using vfs::Result;
using vfs::VirtualPath;

namespace {

constexpr std::size_t kMaxNodes = 512;

}  // namespace

void Gate::hold(const std::string& name) {
  const std::lock_guard lock(mutex_);
  held_.insert(name);
}

void Gate::let_go(const std::string& name) {
  const std::lock_guard lock(mutex_);
  held_.erase(name);
  changed_.notify_all();
}

void Gate::let_all_go() {
  const std::lock_guard lock(mutex_);
  off_ = true;
  changed_.notify_all();
}

bool Gate::wait_for(const std::string& name, std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return counts_[name] >= count; });
}

std::vector<std::string> Gate::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t Gate::count(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

void Gate::pass(const std::string& name, const std::string& detail) {
  std::unique_lock lock(mutex_);
  ++counts_[name];
  calls_.push_back(name + " " + detail);
  changed_.notify_all();
  changed_.wait(lock, [&] { return off_ || (!held_.contains(name) && !held_.contains(name + " " + detail)); });
}

FakeFs::FakeFs(core::WorkerPool& pool, core::WorkerPool& other_pool) : pool_(pool), other_pool_(other_pool) {
  identity_.user.username = "alice";
  caps.flags = plugin::FsCaps::kRandomWrite | plugin::FsCaps::kReadWrite | plugin::FsCaps::kParallelIo |
               plugin::FsCaps::kNowaitRead;
  put_dir("/");
}

void FakeFs::put(const std::string& path, std::string data) {
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->data = std::move(data);
  nodes_[path] = std::move(node);
}

void FakeFs::put_dir(const std::string& path) {
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->type = FileType::kDir;
  nodes_[path] = std::move(node);
}

std::string FakeFs::get(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto node = find(path);
  return node ? node->data : "<none>";
}

FakeFs::NodePtr FakeFs::find(const std::string& path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : found->second;
}

Result<void> FakeFs::add(const std::string& path, NodePtr node) {
  const auto parent = find(VirtualPath::clean(path).parent().str());
  if (!parent) return Status::kNotFound;
  if (parent->type != FileType::kDir) return Status::kNotDir;
  if (find(path)) return Status::kExists;
  if (nodes_.size() >= kMaxNodes) return Status::kNoSpace;
  nodes_[path] = std::move(node);
  return core::ok();
}

Result<void> FakeFs::apply(Node& node, const Attrs& attrs) const {
  if (attrs.has(Attrs::kSize)) {
    if (attrs.size > max_file_bytes) return Status::kNoSpace;
    node.data.resize(attrs.size);
  }
  node.attrs = attrs;
  return core::ok();
}

Attrs FakeFs::attrs_of(const Node& node) {
  auto attrs = node.attrs;
  attrs.valid |= Attrs::kType | Attrs::kSize | Attrs::kOwner;
  attrs.type = node.type;
  attrs.size = node.data.size();
  return attrs;
}

core::WorkerPool& FakeFs::pool(const VirtualPath& path) {
  return path.is_within(VirtualPath::clean("/other")) ? other_pool_ : pool_;
}

Result<Attrs> FakeFs::stat(const VirtualPath& path, bool follow) {
  gate.pass(follow ? "stat" : "lstat", path.str());
  const std::lock_guard lock(mutex_);
  auto node = find(path.str());
  if (node && follow && node->type == FileType::kSymlink) node = find(VirtualPath::clean(node->data).str());
  if (!node) return Status::kNotFound;
  return attrs_of(*node);
}

Result<void> FakeFs::set_attrs(const VirtualPath& path, const Attrs& attrs, bool follow) {
  gate.pass(follow ? "set_attrs" : "lset_attrs", path.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(path.str());
  if (!node) return Status::kNotFound;
  return apply(*node, attrs);
}

Result<std::unique_ptr<vfs::OpenFile>> FakeFs::open(const VirtualPath& path, const vfs::OpenRequest& request) {
  gate.pass("open", path.str());
  const std::lock_guard lock(mutex_);
  auto node = find(path.str());
  if (node && request.exclusive) return Status::kExists;
  if (node && node->type == FileType::kDir) return Status::kIsDir;
  if (!node && !request.create) return Status::kNotFound;
  if (!node) {
    node = std::make_shared<Node>();
    if (const auto added = add(path.str(), node); !added) return added.error();
  }
  if (request.truncate) node->data.clear();
  return std::unique_ptr<vfs::OpenFile>(std::make_unique<FakeFile>(shared_from_this(), node, path, request));
}

Result<std::unique_ptr<vfs::OpenDir>> FakeFs::open_dir(const VirtualPath& path) {
  gate.pass("open_dir", path.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(path.str());
  if (!node) return Status::kNotFound;
  if (node->type != FileType::kDir) return Status::kNotDir;
  std::vector<std::pair<std::string, Attrs>> entries{{".", attrs_of(*node)}, {"..", attrs_of(*node)}};
  for (const auto& [name, entry] : nodes_) {
    const auto entry_path = VirtualPath::clean(name);
    if (!entry_path.is_root() && entry_path.parent() == path) entries.emplace_back(entry_path.name(), attrs_of(*entry));
  }
  return std::unique_ptr<vfs::OpenDir>(std::make_unique<FakeDir>(shared_from_this(), path, std::move(entries)));
}

Result<void> FakeFs::mkdir(const VirtualPath& path, const Attrs& attrs) {
  gate.pass("mkdir", path.str());
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->type = FileType::kDir;
  node->attrs = attrs;
  return add(path.str(), std::move(node));
}

Result<void> FakeFs::rmdir(const VirtualPath& path) {
  gate.pass("rmdir", path.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(path.str());
  if (!node) return Status::kNotFound;
  if (node->type != FileType::kDir) return Status::kNotDir;
  if (path.is_root()) return Status::kDenied;
  for (const auto& [name, entry] : nodes_) {
    if (VirtualPath::clean(name).parent() == path && name != "/") return Status::kNotEmpty;
  }
  nodes_.erase(path.str());
  return core::ok();
}

Result<void> FakeFs::remove(const VirtualPath& path) {
  gate.pass("remove", path.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(path.str());
  if (!node) return Status::kNotFound;
  if (node->type == FileType::kDir) return Status::kIsDir;
  nodes_.erase(path.str());
  return core::ok();
}

Result<void> FakeFs::rename(const VirtualPath& from, const VirtualPath& to, bool replace) {
  gate.pass(replace ? "replace" : "rename", from.str() + " " + to.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(from.str());
  if (!node) return Status::kNotFound;
  if (node->type == FileType::kDir) return Status::kDenied;
  if (const auto target = find(to.str())) {
    if (!replace) return Status::kExists;
    if (target->type == FileType::kDir) return Status::kIsDir;
  }
  nodes_.erase(from.str());
  nodes_[to.str()] = node;
  return core::ok();
}

Result<void> FakeFs::symlink(std::string_view target, const VirtualPath& link) {
  gate.pass("symlink", std::string(target) + " " + link.str());
  const std::lock_guard lock(mutex_);
  auto node = std::make_shared<Node>();
  node->type = FileType::kSymlink;
  node->data = target;
  return add(link.str(), std::move(node));
}

Result<std::string> FakeFs::read_link(const VirtualPath& path) {
  gate.pass("read_link", path.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(path.str());
  if (!node) return Status::kNotFound;
  if (node->type != FileType::kSymlink) return Status::kInvalid;
  return node->data;
}

Result<void> FakeFs::hard_link(const VirtualPath& from, const VirtualPath& to) {
  gate.pass("hard_link", from.str() + " " + to.str());
  const std::lock_guard lock(mutex_);
  const auto node = find(from.str());
  if (!node) return Status::kNotFound;
  if (node->type == FileType::kDir) return Status::kDenied;
  return add(to.str(), node);
}

Result<plugin::StatVfs> FakeFs::statvfs(const VirtualPath& path) {
  gate.pass("statvfs", path.str());
  if (!can.statvfs) return Status::kUnsupported;
  plugin::StatVfs space;
  space.bsize = 4096;
  space.read_only = true;
  space.namemax = 255;
  return space;
}

std::string FakeFs::user_name(const VirtualPath& path, std::uint32_t uid) {
  gate.pass("user_name", path.str());
  return uid < 10 ? "user" + std::to_string(uid) : std::to_string(uid);
}

std::string FakeFs::group_name(const VirtualPath& path, std::uint32_t gid) {
  gate.pass("group_name", path.str());
  return gid < 10 ? "group" + std::to_string(gid) : std::to_string(gid);
}

}  // namespace host::sftp::testing
