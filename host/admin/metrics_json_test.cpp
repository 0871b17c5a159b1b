// SPDX-License-Identifier: Apache-2.0
//
// That every name of the replaced system is there from the start, and what is counted where.
#include "host/admin/metrics_json.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>

#include "host/admin/testing/accounts.h"
#include "host/core/request_times.h"

namespace host::admin {
namespace {

using Json = nlohmann::ordered_json;

struct MetricsTest : ::testing::Test {
  Json all() { return metrics_to_json(true, sessions, *accounts.registry, 3); }
  Json find(const std::string& name) {
    for (const auto& each : all()) {
      if (each.at("name") == name) return each;
    }
    return {};
  }
  Json value(const std::string& name, const Json& labels = Json::object()) {
    const Json found = find(name);
    for (const auto& sample : found.at("samples")) {
      if (sample.at("labels") == labels) return sample.contains("value") ? sample.at("value") : sample;
    }
    return {};
  }
  testing::Accounts accounts{"memory"};
  Sessions sessions{10};
};

// With the four of HTTP, which are the service's, the 54 of the replaced system.
TEST_F(MetricsTest, EveryNameOfTheReplacedSystemIsThere) {
  std::set<std::string> known, others;
  for (const auto& each : all()) {
    const auto name = each.at("name").get<std::string>();
    EXPECT_TRUE((name.starts_with("sftpgo_") ? known : others).insert(name).second) << name;
  }
  EXPECT_EQ(known.size(), 50u);
  for (const auto* name : {"sftpgo_active_connections", "sftpgo_ssh_command_errors_total", "sftpgo_s3_uploads_total",
                           "sftpgo_s3_download_size", "sftpgo_s3_list_objects", "sftpgo_s3_copy_object_errors",
                           "sftpgo_gcs_delete_object", "sftpgo_gcs_head_bucket_errors", "sftpgo_upload_errors_total"}) {
    EXPECT_TRUE(known.contains(name)) << name;
  }
  for (const auto* name :
       {"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_resident_memory_bytes",
        "process_virtual_memory_bytes", "process_start_time_seconds", "process_virtual_memory_max_bytes"}) {
    EXPECT_TRUE(others.contains(name)) << name;
  }
}

TEST_F(MetricsTest, StoragesAreCountedByNameAndProtocol) {
  const auto storage = accounts.registry->storage("fs-local");
  ASSERT_TRUE(storage);
  auto& stats = (*storage)->stats();
  stats.note_transfer("SCP", true, true, 70);
  stats.timed(plugin::Call::kRead, [] { return 0; });
  const Json labels = {{"direction", "upload"}, {"protocol", "SCP"}, {"storage", "fs-local"}};
  EXPECT_EQ(value("sallyport_transfer_bytes_total", labels), 70);
  const auto times = value("sallyport_storage_call_seconds", {{"operation", "read"}, {"storage", "fs-local"}});
  EXPECT_EQ(times.at("counts").size(), times.at("bounds").size() + 1);
  EXPECT_EQ(value("sallyport_pool_queued", {{"pool", "fs-local"}}), 0);
  EXPECT_EQ(value("sallyport_quota_scans_running"), 3);
}

TEST_F(MetricsTest, RequestsOfAPluginToItsStoreAreShownAndStandForThoseOfTheReplacedSystem) {
  core::request_times::note("fs-s3", "CopyObject", true, std::chrono::milliseconds(3));
  core::request_times::note("fs-s3", "CopyObject", false, std::chrono::milliseconds(3));
  const Json labels = {{"plugin", "fs-s3"}, {"request", "CopyObject"}};
  EXPECT_DOUBLE_EQ(value("sallyport_request_seconds", labels).at("sum"), 0.006);
  EXPECT_EQ(value("sallyport_request_failures_total", labels), 1);
  EXPECT_EQ(value("sftpgo_s3_copy_object"), 1);
  EXPECT_EQ(value("sftpgo_s3_copy_object_errors"), 1);
  EXPECT_EQ(value("sftpgo_gcs_copy_object"), 0);
}

TEST_F(MetricsTest, ConnectionsWithoutAChannelDoNotCount) {
  LoginInfo who;
  who.username = "ann";
  who.connection_id = "1";
  const auto session = sessions.enter(who);
  EXPECT_EQ(value("sftpgo_active_connections"), 0);
  const Session::Channel channel(session, "SFTP", "");
  EXPECT_EQ(value("sftpgo_active_connections"), 1);
}

TEST_F(MetricsTest, TheProcessHasMemoryAndTime) {
  EXPECT_GT(value("process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value("process_start_time_seconds"), 1.6e9);
  EXPECT_GT(value("process_open_fds"), 2);
}

}  // namespace
}  // namespace host::admin
