// SPDX-License-Identifier: Apache-2.0
//
// third: an authenticator and a notifier that nobody but the configuration knows. The one decides by the name of the
// user, the other writes events into a file. For tests only.
#include <sallyport/cpp/auth.hpp>
#include <sallyport/cpp/notifier.hpp>

#include <cstdio>

namespace {

using sallyport::ConversationPtr;
using sallyport::Failure;
using sallyport::Outcome;
using sallyport::view;

class Names : public sallyport::Authenticator<Names> {
 public:
  static constexpr const char* kType = "third";
  static constexpr const char* kSummary = "allow-X gets in, deny-X does not, for tests";
  static constexpr const char* kConfigSchema = R"({"type": "object", "additionalProperties": false})";
  static constexpr std::uint32_t kMethods = SP_AUTH_PASSWORD | SP_AUTH_PUBLIC_KEY;

  static Outcome<std::unique_ptr<Names>> create(const sp_host&, std::string_view) { return std::make_unique<Names>(); }
  Outcome<ConversationPtr> begin(const sp_op&, const sp_auth_request& request, sallyport::AuthSink sink) {
    const auto user = view(request.user);
    auto told = user.starts_with("allow-") ? sink.allow() : user.starts_with("deny-") ? sink.deny() : sink.next();
    if (!told) return told.failure();
    return ConversationPtr();
  }
};

// The file's name comes from the environment: a schema is not what is tested here.
class File : public sallyport::Notifier<File> {
 public:
  static constexpr const char* kType = "third";
  static constexpr const char* kSummary = "writes events into the file SALLYPORT_TEST_EVENTS, for tests";
  static constexpr const char* kConfigSchema = R"({"type": "object", "additionalProperties": false})";

  static Outcome<std::unique_ptr<File>> create(const sp_host&, std::string_view) { return std::make_unique<File>(); }
  bool wants(std::string_view kind) const { return kind == "upload" || kind == "pre-delete"; }
  Outcome<void> notify(const sp_op&, std::string_view event) {
    const char* name = std::getenv("SALLYPORT_TEST_EVENTS");
    std::FILE* file = name != nullptr ? std::fopen(name, "ae") : nullptr;
    if (file == nullptr) return Failure{SP_E_IO, "no file for events", 0};
    std::fprintf(file, "%.*s\n", static_cast<int>(event.size()), event.data());
    std::fclose(file);
    return {};
  }
  Outcome<void> decide(const sp_op&, std::string_view event) {
    if (event.find("keep") != std::string_view::npos) return Failure{SP_E_DENIED, "it is to be kept", 0};
    return {};
  }
};

}  // namespace

SALLYPORT_PLUGIN("org.sallyport.test.third", "third", "1.0.0", "tests", &sallyport::kAuthenticatorFactory<Names>,
                 &sallyport::kNotifierFactory<File>)
