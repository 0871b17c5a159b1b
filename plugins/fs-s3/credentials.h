// SPDX-License-Identifier: Apache-2.0
//
// Whose requests these are: keys given with the account, or those that the machine has for its programs.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "http_client.h"
#include "object-common/stop.h"
#include "sigv4.h"

namespace fs_s3 {

struct Expiring {
  Credentials credentials;
  std::optional<std::chrono::system_clock::time_point> until;  // nothing: for ever
};

class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  // May block. Any thread.
  virtual Outcome<Credentials> get(const object_common::Stop& stop) = 0;
  // The store says they are no good any more.
  virtual void forget() {}
};

class GivenCredentials final : public CredentialsSource {
 public:
  explicit GivenCredentials(Credentials given) : given_(std::move(given)) {}
  Outcome<Credentials> get(const object_common::Stop&) override { return given_; }

 private:
  const Credentials given_;
};

// In the usual order: environment, shared files (AWS_PROFILE), container, instance metadata version 2. One for all who
// have no keys of their own; renewed five minutes before they end.
class MachineCredentials final : public CredentialsSource {
 public:
  explicit MachineCredentials(std::shared_ptr<HttpClient> http) : http_(std::move(http)) {}
  Outcome<Credentials> get(const object_common::Stop& stop) override;
  void forget() override;

 private:
  Outcome<Expiring> look();
  Outcome<Expiring> from_container();
  Outcome<Expiring> from_instance();

  const std::shared_ptr<HttpClient> http_;
  std::mutex mutex_;  // held while looking: others wait for the same answer
  std::optional<Expiring> found_;
};

// Keys of one profile in the text of ~/.aws/credentials or ~/.aws/config.
std::optional<Credentials> credentials_in(const std::string& text, const std::string& profile);
// The answer of a container's or an instance's endpoint.
std::optional<Expiring> credentials_from_json(const std::string& text);

}  // namespace fs_s3
