// SPDX-License-Identifier: Apache-2.0
#include "host/events/event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace host::events {
namespace {

using nlohmann::json;

TEST(Event, FileMembersThatDoNotApplyAreLeftOut) {
  FileEvent event;
  event.kind = Kind::kDownloadFailed;
  event.username = "ada";
  event.path = "/srv/a\xff";
  event.local_file = false;
  const auto told = json::parse(to_json(event));
  EXPECT_EQ(told["kind"], "download-failed");
  EXPECT_EQ(told["username"], "ada");
  EXPECT_EQ(told["path"], "/srv/a\xEF\xBF\xBD");
  EXPECT_EQ(told["path_bytes"], json({'/', 's', 'r', 'v', '/', 'a', 255}));
  EXPECT_EQ(told["local_file"], false);
  EXPECT_GT(told["time"], 1'600'000'000'000);
  for (const auto* name : {"target_path", "ssh_command", "file_size", "user"})
    EXPECT_FALSE(told.contains(name)) << name;
}

TEST(Event, BytesAreThereOnlyWhereTheyAreNeeded) {
  FileEvent event;
  event.path = "/srv/\xEF\xBF\xBD\xC3\xBC\n\"";
  event.target_path = "/srv/\xC3";
  const auto told = json::parse(to_json(event));
  EXPECT_EQ(told["path"], event.path);
  EXPECT_FALSE(told.contains("path_bytes"));
  EXPECT_EQ(told["target_path_bytes"].size(), event.target_path.size());
}

TEST(Event, SizeZeroIsASize) {
  FileEvent event;
  event.file_size = 0;
  EXPECT_EQ(json::parse(to_json(event))["file_size"], 0);
}

TEST(Event, UsersComeWithTheirHashBesideThem) {
  const auto told = json::parse(to_json(UserEvent{Kind::kUserAdd, "ada", R"({"id": 7})", "$1$x"}));
  EXPECT_EQ(told["kind"], "user-add");
  EXPECT_EQ(told["user"], json({{"id", 7}}));
  EXPECT_EQ(told["password_hash"], "$1$x");
}

TEST(Event, EveryKindHasAName) {
  for (int i = 0; i < static_cast<int>(Kind::kCount); ++i) EXPECT_FALSE(kind_name(static_cast<Kind>(i)).empty()) << i;
  EXPECT_EQ(kind_name(Kind::kPreDelete), "pre-delete");
  EXPECT_EQ(kind_name(Kind::kUserDelete), "user-delete");
}

}  // namespace
}  // namespace host::events
