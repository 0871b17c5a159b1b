// SPDX-License-Identifier: Apache-2.0
//
// Questions of a program, one JSON object per line, and its answers, one per line; or of a service that gets the
// answers of the last questions with each request. What is to be asked is the host's to judge, results are judged here.
#include <openssl/rand.h>

#include <array>

#include "hooks.h"
#include "json.h"

namespace auth_external {
namespace {

using sallyport::AuthSink;
using sallyport::ConversationPtr;
using sallyport::Failure;
using sallyport::Outcome;
using sallyport::view;

// Names of accounts are the operator's, others a stranger's: a program that is careless with them must not get one that
// a shell could take for anything else.
bool is_plain(std::string_view name) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@-";
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         name.find_first_not_of(kPlain) == std::string_view::npos;
}

// True: questions were handed on.
Outcome<bool> judge(const Target& target, const std::string& line, AuthSink sink) {
  const Json json = parse(line);
  if (!json.is_object()) return target.fails("it does not write questions as JSON");
  const auto result = json.find("auth_result");
  const bool done = result != json.end() && result->is_number_integer() && *result != 0;
  auto told = !done ? sink.ask(line) : *result == 1 ? sink.allow() : sink.deny();
  if (!told) return told.failure();
  return !done;
}

class ProgramTalk final : public sallyport::Conversation<ProgramTalk> {
 public:
  ProgramTalk(Target& target, std::unique_ptr<hook_common::Process> process)
      : target_(target), process_(std::move(process)) {}

  Outcome<bool> next(const sp_op& op, AuthSink sink) {
    auto line = process_->read_line(target_.cancelled(op));
    if (!line) return target_.named(std::move(line.failure()));
    if (!*line) return end(op);
    return judge(target_, **line, sink);
  }

  Outcome<void> step(const sp_op& op, std::span<const sp_str> answers, AuthSink sink) {
    for (const auto& answer : answers) {
      // It would be the answer to a question that nobody has asked.
      if (view(answer).find('\n') != std::string_view::npos)
        return Failure{SP_E_DENIED, "an answer holds a line break", 0};
      auto written = process_->write(std::string(view(answer)) + "\n", target_.cancelled(op));
      if (!written) return target_.named(std::move(written.failure()));
    }
    auto asked = next(op, sink);
    if (!asked) return asked.failure();
    return {};
  }

 private:
  // Whoever just ends has refused, unless it could not do otherwise.
  Failure end(const sp_op& op) {
    auto ended = process_->finish(target_.cancelled(op));
    return ended ? target_.fails("ended without a result", SP_E_DENIED) : target_.named(std::move(ended.failure()));
  }

  Target& target_;
  const std::unique_ptr<hook_common::Process> process_;
};

std::string random_id() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), bytes.size());
  std::string text;
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

class ServiceTalk final : public sallyport::Conversation<ServiceTalk> {
 public:
  ServiceTalk(Places::Place place, Target& target, Json about)
      : place_(std::move(place)), target_(target), until_(target.deadline()), about_(std::move(about)) {}

  Outcome<bool> next(const sp_op& op, AuthSink sink) {
    auto body = to_text(about_);
    if (!body) return body.failure();
    auto answer = target_.post(op, target_.settings().url, *body, until_);
    if (!answer) return answer.failure();
    const Json json = parse(*answer);
    if (json.is_object()) about_["questions"] = json.value("questions", Json::array());
    return judge(target_, *answer, sink);
  }

  Outcome<void> step(const sp_op& op, std::span<const sp_str> answers, AuthSink sink) {
    about_["answers"] = Json::array();
    for (const auto& answer : answers) about_["answers"].push_back(view(answer));
    auto asked = next(op, sink);
    if (!asked) return asked.failure();
    return {};
  }

 private:
  const Places::Place place_;
  Target& target_;
  const hook_common::Watchdog::Clock::time_point until_;
  Json about_;
};

// Only questions keep it.
template <class Talk>
Outcome<ConversationPtr> keep_if(Outcome<bool> asked, std::unique_ptr<Talk> talk) {
  if (!asked) return asked.failure();
  return *asked ? ConversationPtr(talk.release()) : ConversationPtr();
}

}  // namespace

Outcome<ConversationPtr> ask_keyboard(Target& target, Places& places, const sp_op& op, const sp_auth_request& request,
                                      AuthSink sink) {
  const Json user = parse(view(request.user_json));
  const bool known = user.is_object();
  const std::string name(view(request.user));
  // Whoever has no account is asked like the others, and refused by the host at last: questions must not tell.
  if (!known && !(target.settings().ask_unknown_users && is_plain(name)))
    return Failure{SP_E_DENIED, "unknown user", 0};
  auto place = places.take(known, view(request.address));
  if (!place)
    return Failure{SP_E_BUSY, "too many conversations are open (max_conversations, max_conversations_per_address)", 0};
  const std::string hash = known ? user.value("password", "") : "";
  if (target.is_program()) {
    auto process = target.start({{"SFTPGO_AUTHD_USERNAME", name}, {"SFTPGO_AUTHD_PASSWORD", hash}}, std::move(place));
    if (!process) return process.failure();
    auto talk = std::make_unique<ProgramTalk>(target, std::move(*process));
    auto asked = talk->next(op, sink);
    return keep_if(std::move(asked), std::move(talk));
  }
  Json about = {{"request_id", random_id()}, {"username", name}, {"ip", view(request.address)}, {"password", hash}};
  auto talk = std::make_unique<ServiceTalk>(std::move(place), target, std::move(about));
  auto asked = talk->next(op, sink);
  return keep_if(std::move(asked), std::move(talk));
}

}  // namespace auth_external
