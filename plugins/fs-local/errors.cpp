// SPDX-License-Identifier: Apache-2.0
//
// The one table that turns errno into statuses, and the texts for the operator's log. Any thread.
#include "errors.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace fs_local {

sp_status status_of(int error) {
  switch (error) {
    case ENOENT: return SP_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENXIO:  // a FIFO without a reader, a device without a driver
    case ENODEV: return SP_E_DENIED;
    case EEXIST: return SP_E_EXISTS;
    case ENOTEMPTY: return SP_E_NOT_EMPTY;
    case ENOTDIR: return SP_E_NOT_DIR;
    case EISDIR: return SP_E_IS_DIR;
    case EOPNOTSUPP:
    case ENOSYS: return SP_E_UNSUPPORTED;
    case EINVAL:
    case EILSEQ:
    case EOVERFLOW: return SP_E_INVALID;
    case EDQUOT: return SP_E_QUOTA;
    case ENOSPC:
    case EFBIG:
    case EMLINK: return SP_E_NO_SPACE;
    case EBUSY:
    case ETXTBSY:
    case EMFILE:
    case ENFILE:
    case ENOMEM: return SP_E_BUSY;
    case EAGAIN: return SP_E_CONFLICT;
    case ETIMEDOUT: return SP_E_TIMED_OUT;
    case ELOOP: return SP_E_LOOP;
    case ENAMETOOLONG: return SP_E_NAME_TOO_LONG;
    case EXDEV: return SP_E_CROSS_DEVICE;
    default: return SP_E_IO;
  }
}

sallyport::Failure failed(std::string_view what, std::string_view path) {
  const int error = errno;
  sallyport::Failure failure = refused(status_of(error), what, path, std::generic_category().message(error));
  failure.native = error;
  return failure;
}

sallyport::Failure unresolved(std::string_view what, std::string_view path) {
  if (errno != EXDEV) return failed(what, path);
  sallyport::Failure failure = refused(SP_E_DENIED, what, path, "leads out of the home directory");
  failure.native = EXDEV;
  return failure;
}

sallyport::Failure refused(sp_status status, std::string_view what, std::string_view path, std::string_view why) {
  std::string text;
  text.reserve(what.size() + path.size() + why.size() + 3);
  text.append(what).append(" ").append(path).append(": ").append(why);
  return {status, std::move(text), 0};
}

}  // namespace fs_local
