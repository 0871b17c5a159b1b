// SPDX-License-Identifier: Apache-2.0
//
// Credentials of a role, from AWS's token service or one that speaks like it: for the token of a web identity, or for
// other credentials that may take the role.
#pragma once

#include <optional>
#include <string>

#include "credentials.h"
#include "http_client.h"
#include "object-common/stop.h"

namespace fs_s3 {

struct Role {
  std::string arn, session_name, external_id;
  std::string token_file;  // of a web identity; empty: `by` is used
  std::string region;      // empty: the service that is nowhere in particular
};

// Asked once, as AWS_ENDPOINT_URL_STS says where. `by`: who takes the role.
Outcome<Expiring> take_role(HttpClient& http, const Role& role, const std::optional<Credentials>& by,
                            const object_common::Stop& stop);

}  // namespace fs_s3
