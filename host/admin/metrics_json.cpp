// SPDX-License-Identifier: Apache-2.0
//
// Names, types and labels of everything that is counted. What the replaced system counted per request to S3 or GCS are
// the requests that the storage plugin tells of, or else what this server asked of it. Threads of services.
#include "host/admin/metrics_json.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "host/admin/process_metrics.h"
#include "host/core/metrics.h"
#include "host/core/request_times.h"
#include "host/core/worker_pool.h"

namespace host::admin {
namespace {

using Json = nlohmann::ordered_json;
using core::Histogram;
using plugin::Call;
using plugin::StorageStats;
using Storages = std::vector<std::shared_ptr<plugin::Storage>>;

constexpr double kNsPerSecond = 1e9;

Json metric(std::string_view name, std::string_view type, std::string_view help) {
  return {{"name", name}, {"type", type}, {"help", help}, {"samples", Json::array()}};
}

Json plain(std::string_view name, std::string_view type, std::string_view help, Json value) {
  Json made = metric(name, type, help);
  made["samples"].push_back({{"labels", Json::object()}, {"value", std::move(value)}});
  return made;
}

Json sample(Json labels, Json value) { return {{"labels", std::move(labels)}, {"value", std::move(value)}}; }

Json sample(Json labels, const Histogram::Reading& reading) {
  Json bounds = Json::array();
  for (const auto bound : Histogram::kBounds) bounds.push_back(static_cast<double>(bound) / kNsPerSecond);
  return {{"labels", std::move(labels)},
          {"bounds", std::move(bounds)},
          {"counts", reading.counts},
          {"sum", static_cast<double>(reading.sum_ns) / kNsPerSecond}};
}

void add_counters(Json& all) {
  using namespace core::metrics;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Counter::kCount); ++i) {
    const auto counter = static_cast<Counter>(i);
    all.push_back(plain(describe(counter).name, "counter", describe(counter).help, value(counter)));
  }
}

// The calls that stand for a request of the replaced system's cloud storages.
struct CloudCall {
  const char* name;
  const char* request;  // of S3
  Call call;
  const char* help;
};
constexpr std::array<CloudCall, 4> kCloudCalls = {{{"list_objects", "ListObjectsV2", Call::kList, "Listings"},
                                                   {"copy_object", "CopyObject", Call::kRename, "Copies"},
                                                   {"delete_object", "DeleteObject", Call::kRemove, "Removals"},
                                                   {"head_bucket", "HeadBucket", Call::kMount, "Looks at a bucket"}}};

// There from the start, with zeros until the storage is used.
void add_cloud(Json& all, const Storages& storages, const std::string& backend, const std::string& short_name) {
  const auto found = std::ranges::find(storages, backend, [](const auto& storage) { return storage->name(); });
  StorageStats* const stats = found != storages.end() ? &(*found)->stats() : nullptr;
  const auto counter = [&](const std::string& name, const std::string& help, std::uint64_t value) {
    all.push_back(plain("sftpgo_" + short_name + "_" + name, "counter", help + " of " + backend, value));
  };
  for (const bool upload : {true, false}) {
    StorageStats::Moved sum;
    for (std::size_t i = 0; stats != nullptr && i < StorageStats::kProtocols.size(); ++i) {
      const auto moved = stats->moved(i, upload);
      sum = {sum.good + moved.good, sum.failed + moved.failed, sum.bytes + moved.bytes};
    }
    const std::string kind = upload ? "upload" : "download";
    counter(kind + "s_total", upload ? "Uploads" : "Downloads", sum.good);
    counter(kind + "_errors_total", upload ? "Failed uploads" : "Failed downloads", sum.failed);
    counter(kind + "_size", upload ? "Bytes received" : "Bytes sent", sum.bytes);
  }
  const auto requests = core::request_times::read();
  const bool tells = std::ranges::any_of(requests, [&](const auto& kind) { return kind.plugin == backend; });
  for (const auto& [name, request, call, help] : kCloudCalls) {
    std::uint64_t failed = !tells && stats != nullptr ? stats->failures(call) : 0;
    std::uint64_t asked = !tells && stats != nullptr ? stats->times(call).count() : 0;
    for (const auto& kind : requests) {
      if (kind.plugin != backend || kind.request != request) continue;
      failed = kind.failures;
      asked = kind.times.count();
    }
    counter(name, help, asked - std::min(asked, failed));
    counter(name + std::string("_errors"), help + std::string(" that failed"), failed);
  }
}

void add_storages(Json& all, const Storages& storages) {
  Json bytes =
      metric("sallyport_transfer_bytes_total", "counter", "Bytes of files, those of failed transfers included");
  Json ends = metric("sallyport_transfers_total", "counter", "Transfers that have ended");
  Json times = metric("sallyport_storage_call_seconds", "histogram", "Time of one call of a storage plugin");
  Json failures =
      metric("sallyport_storage_failures_total", "counter", "Calls that a storage plugin could not carry out");
  for (const auto& storage : storages) {
    const auto& stats = storage->stats();
    for (std::size_t i = 0; i < StorageStats::kProtocols.size(); ++i) {
      for (const bool upload : {true, false}) {
        const auto moved = stats.moved(i, upload);
        Json labels = {{"direction", upload ? "upload" : "download"},
                       {"protocol", StorageStats::kProtocols[i]},
                       {"storage", storage->name()}};
        bytes["samples"].push_back(sample(labels, moved.bytes));
        labels["result"] = "ok";
        ends["samples"].push_back(sample(labels, moved.good));
        labels["result"] = "failed";
        ends["samples"].push_back(sample(labels, moved.failed));
      }
    }
    for (std::size_t i = 0; i < StorageStats::kCalls; ++i) {
      const auto call = static_cast<Call>(i);
      const auto reading = stats.times(call);
      if (reading.count() == 0) continue;  // a storage need not have all of them
      const Json labels = {{"operation", call_name(call)}, {"storage", storage->name()}};
      times["samples"].push_back(sample(labels, reading));
      failures["samples"].push_back(sample(labels, stats.failures(call)));
    }
  }
  for (auto* const each : {&bytes, &ends, &times, &failures}) all.push_back(std::move(*each));
}

void add_requests(Json& all) {
  Json times =
      metric("sallyport_request_seconds", "histogram", "Time of one request of a plugin to what it stands for");
  Json failures = metric("sallyport_request_failures_total", "counter", "Such requests that were refused or got lost");
  for (const auto& kind : core::request_times::read()) {
    const Json labels = {{"plugin", kind.plugin}, {"request", kind.request}};
    times["samples"].push_back(sample(labels, kind.times));
    failures["samples"].push_back(sample(labels, kind.failures));
  }
  for (auto* const each : {&times, &failures}) all.push_back(std::move(*each));
}

void add_pools(Json& all) {
  Json queued = metric("sallyport_pool_queued", "gauge", "Jobs that wait for a worker");
  Json busy = metric("sallyport_pool_busy", "gauge", "Workers that have a job");
  Json threads = metric("sallyport_pool_threads", "gauge", "Workers that there are");
  Json wait = metric("sallyport_pool_wait_seconds", "histogram", "Time that a job waited for a worker");
  for (const auto& pool : core::WorkerPool::read_all()) {
    const Json labels = {{"pool", pool.name}};
    queued["samples"].push_back(sample(labels, pool.queued));
    busy["samples"].push_back(sample(labels, pool.busy));
    threads["samples"].push_back(sample(labels, pool.threads));
    wait["samples"].push_back(sample(labels, pool.wait));
  }
  for (auto* const each : {&queued, &busy, &threads, &wait}) all.push_back(std::move(*each));
}

std::size_t connections(const Sessions& sessions) {
  const auto listed = sessions.list();
  return static_cast<std::size_t>(
      std::ranges::count_if(listed, [](const auto& session) { return !session.channels.empty(); }));
}

}  // namespace

Json metrics_to_json(bool provider_available, const Sessions& sessions, const plugin::Registry& registry,
                     std::size_t scans_running) {
  Json all = Json::array();
  all.push_back(plain("sftpgo_dataprovider_availability", "gauge", "Does the data provider answer: 1 yes, 0 no",
                      provider_available ? 1 : 0));
  all.push_back(plain("sftpgo_active_connections", "gauge", "Connections that have a channel", connections(sessions)));
  all.push_back(plain("sallyport_quota_scans_running", "gauge", "Quota scans that run or wait", scans_running));
  add_counters(all);
  const auto storages = registry.storages();
  add_cloud(all, storages, "fs-s3", "s3");
  add_cloud(all, storages, "fs-gcs", "gcs");
  add_storages(all, storages);
  add_requests(all);
  add_pools(all);
  for (const auto& each : process_metrics()) all.push_back(plain(each.name, each.type, each.help, each.value));
  return all;
}

}  // namespace host::admin
