// SPDX-License-Identifier: Apache-2.0
//
// Quota scans, dumps and restores.
#include <charconv>
#include <nlohmann/json.hpp>

#include "handlers.h"

namespace admin_http {
namespace {

std::string text_of(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// An optional number; false when there is something else.
bool read_number(const Request& request, const char* name, int& value) {
  if (request.query.count(name) == 0) return true;
  const auto text = request.get(name);
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size();
}

}  // namespace

Answer get_scans(const Request&, Services& services) {
  const auto* jobs = services.host.jobs;
  const auto reply = ask([&](auto* out, auto* error) { return jobs->scans(jobs->ctx, out, error); });
  return reply ? json_answer(200, reply.text) : failure(reply);
}

Answer start_scan(const Request& request, Services& services) {
  const auto user = nlohmann::json::parse(request.body, nullptr, false);
  if (!user.is_object()) return envelope(400, "the body is not a JSON object", "");
  const auto name = user.find("username");
  if (name != user.end() && !name->is_string() && !name->is_null()) {
    return envelope(400, "field \"username\" must be a text", "");
  }
  const std::string username = name != user.end() && name->is_string() ? name->get<std::string>() : std::string();
  const auto* jobs = services.host.jobs;
  const auto reply =
      ask([&](auto*, auto* error) { return jobs->start_scan(jobs->ctx, sallyport::str(username), error); });
  if (reply) return envelope(201, "", "Scan started");
  // The replaced system gives this reason in the other member.
  if (reply.status == SP_E_CONFLICT) return envelope(409, "", reply.error);
  return failure(reply);
}

Answer dump_data(const Request& request, Services& services) {
  int indent = 0;
  if (!read_number(request, "indent", indent) || indent < 0 || indent > 1) {
    return envelope(400, "Invalid indent: 0 or 1 is allowed", "");
  }
  const auto text = text_of({{"output_file", request.get("output_file")}, {"indent", indent == 1}});
  const auto* jobs = services.host.jobs;
  const auto reply = ask([&](auto*, auto* error) { return jobs->dump(jobs->ctx, sallyport::str(text), error); });
  return reply ? envelope(200, "", "Data saved") : failure(reply);
}

Answer load_data(const Request& request, Services& services) {
  int scan_quota = 0, mode = 0;
  if (!read_number(request, "scan_quota", scan_quota)) return envelope(400, "Invalid scan_quota", "");
  if (!read_number(request, "mode", mode)) return envelope(400, "Invalid mode", "");
  const auto text = text_of({{"input_file", request.get("input_file")}, {"scan_quota", scan_quota}, {"mode", mode}});
  const auto* jobs = services.host.jobs;
  const auto reply =
      ask([&](auto* out, auto* error) { return jobs->restore(jobs->ctx, sallyport::str(text), out, error); });
  const std::string summary = reply.text.empty() ? "" : ",\"summary\":" + reply.text;
  if (reply) return envelope(200, "", "Data restored", summary);
  auto answer = failure(reply);
  return summary.empty() ? answer : envelope(answer.status, reply.error, "", summary);
}

}  // namespace admin_http
