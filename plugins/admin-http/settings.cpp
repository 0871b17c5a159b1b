// SPDX-License-Identifier: Apache-2.0
//
// Settings from JSON, and whether they are safe. Start-up only.
#include "settings.h"

#include <Poco/Net/IPAddress.h>

#include <nlohmann/json.hpp>

namespace admin_http {

bool Settings::beyond_this_machine() const {
  Poco::Net::IPAddress address;
  return !Poco::Net::IPAddress::tryParse(bind_address, address) || !address.isLoopback();
}

sallyport::Outcome<Settings> parse_settings(std::string_view text) {
  const auto json = nlohmann::json::parse(text);
  Settings settings;
  settings.bind_address = json.at("bind_address").get<std::string>();
  settings.bind_port = json.at("bind_port").get<int>();
  settings.auth_user_file = json.at("auth_user_file").get<std::string>();
  settings.certificate_file = json.at("certificate_file").get<std::string>();
  settings.certificate_key_file = json.at("certificate_key_file").get<std::string>();
  settings.allow_insecure = json.at("allow_insecure").get<bool>();
  settings.allowed_hosts = json.at("allowed_hosts").get<std::vector<std::string>>();
  const auto invalid = [](std::string why) { return sallyport::Failure{SP_E_INVALID, std::move(why), 0}; };
  if (settings.certificate_file.empty() != settings.certificate_key_file.empty()) {
    return invalid("httpd.certificate_file and httpd.certificate_key_file go together: set both or none");
  }
  if (settings.beyond_this_machine() && !settings.allow_insecure) {
    const std::string missing = settings.auth_user_file.empty() ? "authentication (httpd.auth_user_file)"
                                : settings.tls()                ? ""
                                                                : "TLS (httpd.certificate_file)";
    if (!missing.empty()) {
      return invalid("httpd.bind_address \"" + settings.bind_address + "\" without " + missing +
                     " would open the administration to the network: set it, listen on 127.0.0.1, or say "
                     "httpd.allow_insecure: true");
    }
  }
  return settings;
}

}  // namespace admin_http
