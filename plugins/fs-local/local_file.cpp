// SPDX-License-Identifier: Apache-2.0
//
// Reading, writing and copying by descriptor. A successful read or write allocates nothing. Runs on worker threads;
// read_at with SP_OP_NOWAIT also on I/O threads, where it must not wait for a disk. Knows nothing of paths.
#include "local_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>

#include "attrs.h"
#include "errors.h"
#include "platform.h"

namespace fs_local {

using sallyport::Failure;
using sallyport::Outcome;

namespace {

constexpr std::uint64_t kMaxOffset = static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
constexpr std::size_t kCopyStep = 16 * 1024 * 1024;  // between two looks at the deadline
constexpr std::size_t kCopyBuffer = 256 * 1024;

bool beyond(std::uint64_t offset, std::uint64_t length) { return offset > kMaxOffset || length > kMaxOffset - offset; }

// The file systems of the two files, or the open flags, leave the copying to us.
bool kernel_cannot_copy(int error) {
  return error == EXDEV || error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EBADF ||
         error == EPERM;
}

}  // namespace

Outcome<std::size_t> LocalFile::read_cached(std::span<std::byte> into, off_t offset) {
  if (!tells_cached_.load(std::memory_order_relaxed)) return Failure{SP_E_WOULD_BLOCK, {}, 0};
  const ssize_t got = platform::read_cached(fd_.get(), into.data(), into.size(), offset);
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno == EOPNOTSUPP || errno == ENOSYS) tells_cached_.store(false, std::memory_order_relaxed);
  // Any other error comes again, with its text, from the call that may block.
  return Failure{SP_E_WOULD_BLOCK, {}, 0};
}

Outcome<std::size_t> LocalFile::read_at(const sp_op& op, std::span<std::byte> into, std::uint64_t offset) {
  if (offset > kMaxOffset) return std::size_t{0};
  const auto at = static_cast<off_t>(offset);
  if ((op.flags & SP_OP_NOWAIT) != 0) return read_cached(into, at);
  for (;;) {
    const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), at);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return failed("read", path_);
  }
}

Outcome<void> LocalFile::write_at(const sp_op& op, std::span<const std::byte> data, std::uint64_t offset) {
  if ((op.flags & SP_OP_NOWAIT) != 0) return Failure{SP_E_WOULD_BLOCK, {}, 0};
  if (beyond(offset, data.size())) return refused(SP_E_INVALID, "write", path_, "the offset is too large");
  while (!data.empty()) {
    const ssize_t done = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(offset));
    if (done > 0) {
      data = data.subspan(static_cast<std::size_t>(done));
      offset += static_cast<std::uint64_t>(done);
    } else if (done == 0) {
      return refused(SP_E_IO, "write", path_, "nothing was written");
    } else if (errno != EINTR) {
      return failed("write", path_);
    }
  }
  return {};
}

Outcome<sp_attrs> LocalFile::stat(const sp_op&) {
  struct stat st {};
  if (::fstat(fd_.get(), &st) != 0) return failed("stat", path_);
  return attrs_of(st);
}

Outcome<void> LocalFile::set_attrs(const sp_op&, const sp_attrs& attrs) {
  if ((attrs.valid & SP_ATTR_SIZE) != 0 && !writable_)
    return refused(SP_E_DENIED, "truncate", path_, "not open for writing");
  return apply_attrs(fd_.get(), attrs, path_);
}

Outcome<void> LocalFile::sync(const sp_op&) {
  while (::fsync(fd_.get()) != 0) {
    if (errno != EINTR) return failed("sync", path_);
  }
  return {};
}

// Nothing to publish or to take back: what was written is in the file already.
Outcome<void> LocalFile::close(const sp_op&, bool) {
  // The descriptor is gone whatever close answers, also after EINTR.
  if (::close(fd_.release()) != 0 && errno != EINTR) return failed("close", path_);
  return {};
}

Outcome<bool> LocalFile::overlaps(std::uint64_t from, std::uint64_t length, LocalFile& to, std::uint64_t to_offset) {
  struct stat a {
  }, b{};
  if (::fstat(fd_.get(), &a) != 0 || ::fstat(to.fd_.get(), &b) != 0) return failed("copy", path_);
  if (a.st_dev != b.st_dev || a.st_ino != b.st_ino) return false;
  const std::uint64_t size = static_cast<std::uint64_t>(a.st_size);
  length = from < size ? std::min(length, size - from) : 0;
  return length != 0 && from < to_offset + length && to_offset < from + length;
}

Outcome<std::uint64_t> LocalFile::copy_range(const sp_op& op, std::uint64_t from, std::uint64_t length, LocalFile& to,
                                             std::uint64_t to_offset) {
  if (from > kMaxOffset || to_offset > kMaxOffset)
    return refused(SP_E_INVALID, "copy", path_, "the offset is too large");
  length = std::min({length, kMaxOffset - from, kMaxOffset - to_offset});
  Outcome<bool> same = overlaps(from, length, to, to_offset);
  if (!same) return std::move(same.failure());
  if (*same) return refused(SP_E_INVALID, "copy", path_, "the ranges overlap");
  std::uint64_t copied = 0;
  while (copied < length) {
    if (sallyport::cancelled(host_, op)) return refused(SP_E_CANCELLED, "copy", path_, "given up");
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(length - copied, kCopyStep));
    const ssize_t done = platform::copy_bytes(fd_.get(), static_cast<off_t>(from + copied), to.fd_.get(),
                                              static_cast<off_t>(to_offset + copied), step);
    if (done > 0) {
      copied += static_cast<std::uint64_t>(done);
    } else if (done < 0 && errno == EINTR) {
      continue;
    } else if (copied == 0 && (done == 0 || kernel_cannot_copy(errno))) {
      // Zero too: some file systems answer it for files whose size they do not know beforehand.
      return copy_through_memory(op, from, length, to, to_offset);
    } else if (done == 0) {
      break;
    } else {
      return failed("copy", path_);
    }
  }
  return copied;
}

Outcome<std::uint64_t> LocalFile::copy_through_memory(const sp_op& op, std::uint64_t from, std::uint64_t length,
                                                      LocalFile& to, std::uint64_t to_offset) {
  const auto buffer = std::make_unique<std::byte[]>(kCopyBuffer);
  std::uint64_t copied = 0;
  while (copied < length) {
    if (sallyport::cancelled(host_, op)) return refused(SP_E_CANCELLED, "copy", path_, "given up");
    const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(length - copied, kCopyBuffer));
    Outcome<std::size_t> got = read_at(op, {buffer.get(), step}, from + copied);
    if (!got) return std::move(got.failure());
    if (*got == 0) break;
    Outcome<void> put = to.write_at(op, {buffer.get(), *got}, to_offset + copied);
    if (!put) return std::move(put.failure());
    copied += *got;
  }
  return copied;
}

}  // namespace fs_local
