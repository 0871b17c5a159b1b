// SPDX-License-Identifier: Apache-2.0
//
// Scans in the background, and the rules for names of dumps.
#include "host/admin/jobs.h"

#include <gtest/gtest.h>

#include <fstream>

#include "host/admin/testing/accounts.h"

namespace host::admin {
namespace {

using core::Status;

struct JobsTest : ::testing::Test {
  // Ends and with it waits for what runs; a scan that has not begun is given up, so wait for its end first.
  void wait_for_scans() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (*jobs->scans() != "[]" && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_EQ(*jobs->scans(), "[]");
  }
  std::unique_ptr<Jobs> make(bool keep_usage = true) {
    return std::make_unique<Jobs>(*accounts.registry, *accounts.store, *accounts.quotas,
                                  Jobs::Options{accounts.directory / "backups", keep_usage});
  }
  testing::Accounts accounts{"sqlite"};
  std::unique_ptr<Jobs> jobs = make();
};

TEST_F(JobsTest, AScanCountsFiles) {
  const auto ann = accounts.add("ann");
  std::ofstream(ann.home_dir + "/a") << "12345";
  ASSERT_TRUE(jobs->start_scan("ann"));
  wait_for_scans();
  accounts.quotas->flush();
  EXPECT_EQ(accounts.store->find("ann")->used_quota_size, 5);
  EXPECT_EQ(accounts.store->find("ann")->used_quota_files, 1);
}

TEST_F(JobsTest, AScanThatMayNotKeepAnythingKeepsNothing) {
  const auto ann = accounts.add("ann");
  std::ofstream(ann.home_dir + "/a") << "12345";
  jobs = make(false);
  ASSERT_TRUE(jobs->start_scan("ann"));
  wait_for_scans();
  EXPECT_EQ(accounts.store->find("ann")->used_quota_files, 0);
}

TEST_F(JobsTest, AMissingHomeChangesNothingAndStaysMissing) {
  const auto ann = accounts.add("ann");
  ASSERT_TRUE(accounts.store->add_usage("ann", {7, 1}, 1));
  std::filesystem::remove(ann.home_dir);
  ASSERT_TRUE(jobs->start_scan("ann"));
  wait_for_scans();
  EXPECT_EQ(accounts.store->find("ann")->used_quota_size, 7);
  EXPECT_FALSE(std::filesystem::exists(ann.home_dir));
}

TEST_F(JobsTest, UnknownAccountsAreNotScanned) {
  for (const auto* name : {"", "eve"}) {
    const auto started = jobs->start_scan(name);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().status, Status::kNotFound);
    EXPECT_EQ(started.error().message(), std::string("Not found: username ") + name + " does not exist");
  }
}

TEST_F(JobsTest, DumpsStayBelowTheirDirectory) {
  for (const auto* name : {R"("")", R"("/abs")", R"("../up")", R"("a..b")", R"("dir/")", R"("a\u0000b")"}) {
    const auto done = jobs->dump(std::string(R"({"output_file": )") + name + "}");
    ASSERT_FALSE(done) << name;
    EXPECT_EQ(done.error().status, Status::kInvalid) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(accounts.directory / "backups"));
  EXPECT_TRUE(jobs->dump(R"({"output_file": "a/b.json"})"));
  EXPECT_TRUE(std::filesystem::exists(accounts.directory / "backups/a/b.json"));
}

TEST_F(JobsTest, ARestoreScansWhomItIsTold) {
  for (const auto& [name, limit] : {std::pair{"ann", 0}, {"bob", 3}, {"cem", 3}}) {
    std::ofstream(accounts.add(name, limit).home_dir + "/f") << "x";
  }
  ASSERT_TRUE(jobs->dump(R"({"output_file": "all"})"));
  const auto from = R"({"input_file": ")" + (accounts.directory / "backups/all").string() + "\"";
  const auto files = [&](const char* name) { return accounts.store->find(name)->used_quota_files; };
  const auto restore = [&](const char* rest) {
    const auto done = jobs->restore(from + rest);
    ASSERT_TRUE(done);
    ASSERT_TRUE(done->outcome) << done->outcome.error().text;
  };
  restore("}");
  restore(R"(, "scan_quota": 1, "mode": 1})");  // all are there: skipped, hence not scanned
  restore(R"(, "scan_quota": 2})");             // in order of names, so cem comes last
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (files("cem") == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(files("cem"), 1);
  EXPECT_EQ(files("bob"), 1);
  EXPECT_EQ(files("ann"), 0);
  EXPECT_EQ(jobs->restore(R"({"input_file": "all"})").error().status, Status::kInvalid);
}

TEST_F(JobsTest, RequestsOfOtherTypesAreRefused) {
  for (const auto* request : {"", "[]", R"({"output_file": 1})", R"({"output_file": "a", "indent": 1})"}) {
    const auto done = jobs->dump(request);
    ASSERT_FALSE(done) << request;
    EXPECT_EQ(done.error().status, Status::kInvalid) << request;
  }
  for (const auto* rest : {R"("mode": "1")", R"("mode": 9)", R"("mode": -1)", R"("scan_quota": 3)", R"("mode": 0.5)"}) {
    const auto done = jobs->restore(R"({"input_file": "/x", )" + std::string(rest) + "}");
    ASSERT_FALSE(done) << rest;
    EXPECT_TRUE(done.error().text.starts_with("Invalid ")) << done.error().text;
  }
}

TEST_F(JobsTest, ADumpDoesNotReplaceADirectory) {
  std::filesystem::create_directories(accounts.directory / "backups/taken");
  const auto done = jobs->dump(R"({"output_file": "taken"})");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, Status::kInvalid);
}

TEST_F(JobsTest, StoppingWaitsForScans) {
  const auto ann = accounts.add("ann");
  for (int i = 0; i < 200; ++i) std::filesystem::create_directories(ann.home_dir + "/" + std::to_string(i) + "/a/b");
  ASSERT_TRUE(jobs->start_scan("ann"));
  jobs->stop();
  EXPECT_EQ(*jobs->scans(), "[]");
}

TEST_F(JobsTest, WhatBeginsAfterAStopSaysSoAndLeavesNothing) {
  accounts.add("ann");
  ASSERT_TRUE(jobs->dump(R"({"output_file": "all"})"));
  jobs->stop();
  const auto dumped = jobs->dump(R"({"output_file": "late"})");
  ASSERT_FALSE(dumped);
  EXPECT_EQ(dumped.error().status, Status::kBusy);
  EXPECT_FALSE(std::filesystem::exists(accounts.directory / "backups/late"));
  const auto restored = jobs->restore(R"({"input_file": ")" + (accounts.directory / "backups/all").string() + "\"}");
  ASSERT_TRUE(restored);
  EXPECT_EQ(restored->outcome.error().status, Status::kBusy);
  EXPECT_EQ(restored->outcome.error().text, "the server stops; users after the first 0 are not restored");
  EXPECT_NE(restored->summary_json.find(R"("updated":0)"), std::string::npos);
}

}  // namespace
}  // namespace host::admin
