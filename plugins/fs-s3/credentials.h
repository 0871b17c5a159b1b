// SPDX-License-Identifier: Apache-2.0
//
// Whose requests these are: keys given with the account, or those that the machine has for its programs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "http_client.h"
#include "object-common/stop.h"
#include "profiles.h"
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
  // The store says that these are no good any more.
  virtual void forget(const Credentials&) {}
};

class GivenCredentials final : public CredentialsSource {
 public:
  explicit GivenCredentials(Credentials given) : given_(std::move(given)) {}
  Outcome<Credentials> get(const object_common::Stop&) override { return given_; }

 private:
  const Credentials given_;
};

// In the usual order: environment, shared files (AWS_PROFILE: keys, or a role and who takes it), web identity,
// container, instance metadata version 2. One for all who have no keys of their own; renewed five minutes before they
// end, and used until there are new ones or they have ended. Who gives them answers at once, or is asked again half a
// minute later.
class MachineCredentials final : public CredentialsSource {
 public:
  explicit MachineCredentials(const HttpClient::Settings& http) : http_(impatient(http)) {}
  Outcome<Credentials> get(const object_common::Stop& stop) override;
  void forget(const Credentials& refused) override;

 private:
  using Stop = object_common::Stop;
  static HttpClient::Settings impatient(HttpClient::Settings settings);
  bool is_good(std::chrono::system_clock::duration beyond_now) const;
  Outcome<Expiring> look(const Stop& stop);
  Outcome<Expiring> from_profile(const Stop& stop, const Profiles& all, const std::string& name, int roles);
  Outcome<Expiring> from_container(const Stop& stop);
  Outcome<Expiring> from_instance(const Stop& stop);
  Outcome<std::string> ask(const Stop& stop, const std::string& address, const std::string& method,
                           std::map<std::string, std::string> headers);

  HttpClient http_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under mutex_:
  bool looking_ = false;  // somebody does, without the lock; the others wait for the same answer
  bool refused_ = false;  // what was found is no good any more, says the store
  std::optional<Expiring> found_;
  std::optional<Failure> failure_;  // of the last look
  std::chrono::steady_clock::time_point failed_at_;
};

// Keys that stand in a profile.
std::optional<Credentials> credentials_in(const Profile& profile);
// As "2030-01-01T00:00:00Z"; nothing: it is no time.
std::optional<std::chrono::system_clock::time_point> time_point(const std::string& text);
// The answer of a container's or an instance's endpoint.
std::optional<Expiring> credentials_from_json(const std::string& text);

}  // namespace fs_s3
