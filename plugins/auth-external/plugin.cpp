// SPDX-License-Identifier: Apache-2.0
//
// The authenticator: made from settings, it sends attempts to its hook. Workers of the host, several at once.
#include "hooks.h"

namespace auth_external {
namespace {

using sallyport::ConversationPtr;
using sallyport::Outcome;

class External : public sallyport::Authenticator<External> {
 public:
  static constexpr const char* kType = "auth-external";
  static constexpr const char* kSummary = "logins decided, or users changed, by programs or HTTP services";
  static constexpr const char* kConfigSchema = kSettingsSchema;
  static constexpr std::uint32_t kMethods = SP_AUTH_PASSWORD | SP_AUTH_PUBLIC_KEY | SP_AUTH_KEYBOARD;

  static Outcome<std::unique_ptr<External>> create(const sp_host& host, std::string_view config) {
    auto settings = parse_settings(config);
    if (!settings) return std::move(settings.failure());
    return std::make_unique<External>(host, *settings);
  }

  External(const sp_host& host, const Settings& settings)
      : target_(host, settings),
        cache_(settings.cache),
        places_(settings.max_conversations, settings.max_conversations_per_address) {
    // Which methods it wants to see is a setting, so the table is its own.
    own_ = *ops;
    own_.methods = settings.methods;
    ops = &own_;
  }

  Outcome<ConversationPtr> begin(const sp_op& op, const sp_auth_request& request, sallyport::AuthSink sink) {
    const auto hook = target_.settings().hook;
    if (hook == Hook::kKeyboard) return ask_keyboard(target_, places_, op, request, sink);
    auto done = hook == Hook::kExternal ? ask_external(target_, cache_, op, request, sink)
                                        : ask_pre_login(target_, op, request, sink);
    if (!done) return done.failure();
    return ConversationPtr();
  }

 private:
  sp_authenticator_ops own_{};
  Target target_;
  Cache cache_;
  Places places_;
};

}  // namespace
}  // namespace auth_external

SALLYPORT_PLUGIN("org.sallyport.auth-external", "auth-external", SALLYPORT_VERSION_STRING, "Sallyport",
                 &sallyport::kAuthenticatorFactory<auth_external::External>)
