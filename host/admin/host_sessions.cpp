// SPDX-License-Identifier: Apache-2.0
//
// Members, and what a connection without a channel is, as in the replaced system's REST API.
#include "host/admin/host_sessions.h"

#include <nlohmann/json.hpp>

namespace host::admin {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const vfs::TransferInfo& transfer) {
  return {{"operation_type", transfer.upload ? "upload" : "download"},
          {"path", transfer.path},
          {"start_time", transfer.started_ms},
          {"size", transfer.bytes},
          {"last_activity", transfer.last_activity_ms}};
}

Json to_json(const SessionInfo& session) {
  Json transfers = Json::array();
  for (const auto& transfer : session.transfers) transfers.push_back(to_json(transfer));
  const auto& channel = session.channels.back();
  return {{"username", session.username},
          {"connection_id", session.connection_id},
          {"client_version", session.client_version},
          {"remote_address", session.remote_address},
          {"connection_time", session.connected_ms},
          {"last_activity", session.last_activity_ms},
          {"protocol", channel.protocol},
          {"active_transfers", std::move(transfers)},
          {"ssh_command", channel.command}};
}

}  // namespace

core::Result<std::string> HostSessions::list() {
  Json list = Json::array();
  for (const auto& session : sessions_.list()) {
    if (!session.channels.empty()) list.push_back(to_json(session));
  }
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

core::Result<void> HostSessions::close(std::string_view connection_id) {
  if (sessions_.close(std::string(connection_id))) return core::ok();
  return core::Error(core::Status::kNotFound, "no such connection");
}

core::Result<std::size_t> HostSessions::close_user(std::string_view username) {
  return sessions_.close_user(std::string(username));
}

}  // namespace host::admin
