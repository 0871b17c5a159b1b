// SPDX-License-Identifier: Apache-2.0
//
// From an account's settings to its mount. No request is sent: a login needs no store, and the first operation says
// what is wrong.
#include "s3_storage.h"

#include <unistd.h>

#include <utility>

namespace fs_s3 {
namespace {

constexpr std::uint32_t kNobodyInParticular = 0xffffffff;

}  // namespace

Outcome<std::unique_ptr<S3Storage>> S3Storage::create(const sp_host& host, std::string_view config) {
  auto settings = Settings::parse(config);
  if (!settings) return std::move(settings.failure());
  return std::make_unique<S3Storage>(host, *settings);
}

Outcome<std::unique_ptr<S3Fs>> S3Storage::mount(const sp_op&, const sp_mount_args& args) {
  auto account = AccountSettings::parse(sallyport::view(args.settings), shared_.settings.bucket_in_host);
  if (!account) return std::move(account.failure());
  std::shared_ptr<CredentialsSource> credentials = shared_.machine;
  if (account->credentials) credentials = std::make_shared<GivenCredentials>(*std::move(account->credentials));
  S3Client::Options options{.retries = shared_.settings.retries, .pool = &shared_.pool, .watch = shared_.meter()};
  options.alive = shared_.uploads;
  options.left = [this](auto client, const LeftUpload& upload) { shared_.leftovers.add(std::move(client), upload); };
  auto client =
      std::make_shared<S3Client>(shared_.http, std::move(credentials), std::move(account->bucket), std::move(options));
  // An owner has to be shown: the account's, or the server's as in the replaced system.
  const Owner owner{args.uid != kNobodyInParticular ? args.uid : ::getuid(),
                    args.gid != kNobodyInParticular ? args.gid : ::getgid()};
  return std::make_unique<S3Fs>(shared_, shared_.memory_of(std::string(sallyport::view(args.user))), std::move(client),
                                std::move(account->keys), owner);
}

}  // namespace fs_s3
