// SPDX-License-Identifier: Apache-2.0
//
// The service: made from settings, started and stopped by the host.
#include <sallyport/version.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <sallyport/cpp/service.hpp>

#include "advertiser.h"

namespace advertise_mdns {
namespace {

using sallyport::Failure;
using sallyport::Outcome;

class AdvertiseMdns final : public sallyport::Service<AdvertiseMdns> {
 public:
  static constexpr const char* kType = "advertise-mdns";
  static constexpr const char* kSummary = "tells the local network where the server is, by multicast DNS (Avahi)";
  static constexpr const char* kConfigSchema = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["name", "port"],
  "properties": {
    "name": {"type": "string", "pattern": "^.{1,63}$", "description": "what people see"},
    "type": {"type": "string", "default": "_sftp-ssh._tcp", "description": "kind of service"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "text": {"type": "array", "default": [], "writeOnly": true, "description": "KEY=VALUE texts for everybody to read"}
  }
})json";

  static Outcome<std::unique_ptr<AdvertiseMdns>> create(const sp_host& host, std::string_view config) {
    const auto json = nlohmann::json::parse(config);
    Settings settings;
    settings.name = json.at("name").get<std::string>();
    settings.type = json.value("type", "_sftp-ssh._tcp");
    settings.port = json.at("port").get<std::uint16_t>();
    for (const auto& text : json.value("text", nlohmann::json::array())) {
      if (!text.is_string()) return Failure{SP_E_INVALID, "text: allowed are texts", 0};
      settings.text.push_back(text.get<std::string>());
    }
    return std::make_unique<AdvertiseMdns>(host, std::move(settings));
  }

  AdvertiseMdns(const sp_host& host, Settings settings) : advertiser_({&host, kType}, std::move(settings)) {}

  Outcome<void> start() { return advertiser_.start(); }
  Outcome<void> stop(const sp_op&) {
    advertiser_.stop();
    return {};
  }

 private:
  Advertiser advertiser_;
};

}  // namespace
}  // namespace advertise_mdns

SALLYPORT_PLUGIN("org.sallyport.advertise-mdns", "advertise-mdns", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kServiceFactory<advertise_mdns::AdvertiseMdns>)
