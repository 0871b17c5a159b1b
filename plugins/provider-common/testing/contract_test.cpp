// SPDX-License-Identifier: Apache-2.0
//
// What every provider must do (contract.h).
#include "provider-common/testing/contract.h"

#include <thread>

namespace provider_common::testing {
namespace {

TEST(Contract, InsertFillsDefaultsAndGivesIds) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", person()), SP_OK) << rig->message();
  ASSERT_EQ(rig->insert("bob", person()), SP_OK);
  Json ada, bob;
  ASSERT_EQ(rig->get("ada", ada), SP_OK);
  ASSERT_EQ(rig->get("bob", bob), SP_OK);
  EXPECT_EQ(ada["status"], 1);
  EXPECT_EQ(ada["used"], 0);
  EXPECT_TRUE(ada["password"].is_null());
  EXPECT_TRUE(ada["folders"].is_null());
  EXPECT_EQ(ada["permissions"], Json::parse(R"({"/": ["*"]})"));
  EXPECT_GT(ada["id"].get<int>(), 0);
  EXPECT_NE(ada["id"], bob["id"]);
}

TEST(Contract, KeysAreUniqueAndExact) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", person()), SP_OK);
  EXPECT_EQ(rig->insert("ada", person()), SP_E_EXISTS);
  EXPECT_NE(rig->message(), "");
  Json record;
  for (const auto* key : {"Ada", "ada ", "ad", "%", "' OR '1'='1", ""})
    EXPECT_EQ(rig->get(key, record), SP_E_NOT_FOUND) << key;
}

TEST(Contract, ValuesSurviveWhateverTheyContain) {
  auto rig = make_rig();
  const std::string odd = "a'b\"c\\d;--\n\t\xc3\xa9\xe2\x82\xac/../%s?";
  ASSERT_EQ(rig->insert(odd, {{"password", odd}, {"permissions", {{odd, {odd}}}}, {"used", 9007199254740993}}), SP_OK);
  Json record;
  ASSERT_EQ(rig->get(odd, record), SP_OK);
  EXPECT_EQ(record["username"], odd);
  EXPECT_EQ(record["password"], odd);
  EXPECT_EQ(record["permissions"][odd][0], odd);
  EXPECT_EQ(record["used"], 9007199254740993);
}

TEST(Contract, UpdateKeepsWhatIsLeftOut) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", {{"permissions", Json::array()}, {"password", "x"}, {"used", 5}}), SP_OK);
  Json before, after;
  ASSERT_EQ(rig->get("ada", before), SP_OK);
  ASSERT_EQ(rig->update("ada", {{"status", 0}, {"folders", Json::array({1, 2})}, {"id", 99}}), SP_OK) << rig->message();
  ASSERT_EQ(rig->get("ada", after), SP_OK);
  before["status"] = 0;
  before["folders"] = Json::array({1, 2});
  EXPECT_EQ(after, before);
  ASSERT_EQ(rig->update("ada", {{"folders", nullptr}, {"password", nullptr}}), SP_OK);
  ASSERT_EQ(rig->get("ada", after), SP_OK);
  EXPECT_TRUE(after["folders"].is_null());
  EXPECT_TRUE(after["password"].is_null());
  EXPECT_EQ(rig->update("bob", {{"status", 0}}), SP_E_NOT_FOUND);
  EXPECT_EQ(rig->update("bob", Json::object()), SP_E_NOT_FOUND);
  EXPECT_EQ(rig->update("ada", Json::object()), SP_OK);
}

TEST(Contract, RefusesWhatIsNotDeclared) {
  auto rig = make_rig();
  EXPECT_EQ(rig->insert("ada", {{"permissions", 1}, {"shoe_size", 44}}), SP_E_INVALID);
  EXPECT_EQ(rig->insert("ada", {{"permissions", 1}, {"status", "1"}}), SP_E_INVALID);
  EXPECT_EQ(rig->insert("ada", {{"permissions", 1}, {"status", nullptr}}), SP_E_INVALID);
  EXPECT_EQ(rig->insert("ada", {{"permissions", 1}, {"username", "bob"}}), SP_E_INVALID);
  EXPECT_EQ(rig->insert("ada", Json::object()), SP_E_INVALID);  // permissions has neither default nor null
  EXPECT_EQ(rig->insert("ada", Json::array()), SP_E_INVALID);
  EXPECT_EQ(rig->names(), Names{});
  EXPECT_EQ(rig->list({{"where", {{"shoe_size", 1}}}}).front(), "status 8");
  EXPECT_EQ(rig->list({{"order", "random"}}).front(), "status 8");
  EXPECT_EQ(rig->list({{"limit", -1}}).front(), "status 8");
  EXPECT_EQ(rig->list({{"after", 1}}).front(), "status 8");
}

TEST(Contract, ListOrdersPagesAndFilters) {
  auto rig = make_rig();
  for (const auto* name : {"c", "a", "d", "b"})
    ASSERT_EQ(rig->insert(name, {{"permissions", 0}, {"status", *name == 'c' ? 0 : 1}}), SP_OK);
  EXPECT_EQ(rig->names(), (Names{"a", "b", "c", "d"}));
  EXPECT_EQ(rig->names({{"order", "desc"}}), (Names{"d", "c", "b", "a"}));
  EXPECT_EQ(rig->names({{"limit", 2}}), (Names{"a", "b"}));
  EXPECT_EQ(rig->names({{"limit", 2}, {"offset", 1}}), (Names{"b", "c"}));
  EXPECT_EQ(rig->names({{"offset", 3}}), (Names{"d"}));
  EXPECT_EQ(rig->names({{"offset", 4}}), Names{});
  EXPECT_EQ(rig->names({{"after", "b"}}), (Names{"c", "d"}));
  EXPECT_EQ(rig->names({{"after", "bb"}, {"limit", 1}}), (Names{"c"}));
  EXPECT_EQ(rig->names({{"after", "c"}, {"order", "desc"}}), (Names{"b", "a"}));
  EXPECT_EQ(rig->names({{"after", "a"}, {"where", {{"status", 1}}}}), (Names{"b", "d"}));
  EXPECT_EQ(rig->names({{"after", "d"}}), Names{});
  EXPECT_EQ(rig->names({{"where", {{"status", 0}}}}), (Names{"c"}));
  EXPECT_EQ(rig->names({{"where", {{"username", "d"}}}}), (Names{"d"}));
  EXPECT_EQ(rig->names({{"where", {{"password", nullptr}}}}), (Names{"a", "b", "c", "d"}));
  EXPECT_EQ(rig->names({{"where", {{"username", "d"}, {"status", 0}}}}), Names{});
}

TEST(Contract, ASinkThatRefusesEndsTheList) {
  auto rig = make_rig();
  for (const auto* name : {"a", "b", "c"}) ASSERT_EQ(rig->insert(name, person()), SP_OK);
  int seen = 0;
  const sp_record_sink sink{&seen, [](void* ctx, sp_str) noexcept -> sp_status {
                              return ++*static_cast<int*>(ctx) == 2 ? SP_E_CANCELLED : SP_OK;
                            }};
  const sp_op op{sizeof op, 0, 0, 0, 0};
  EXPECT_EQ(rig->raw()->ops->list(rig->raw(), &op, sallyport::str(R"({"collection":"users"})"), &sink, nullptr),
            SP_E_CANCELLED);
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(rig->names().size(), 3U);  // and the connection is usable again
}

TEST(Contract, RemoveOnce) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", person()), SP_OK);
  EXPECT_EQ(rig->remove("ada"), SP_OK);
  EXPECT_EQ(rig->remove("ada"), SP_E_NOT_FOUND);
  EXPECT_EQ(rig->names(), Names{});
}

TEST(Contract, CountersAddUpUnderContention) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", person()), SP_OK);
  constexpr int kThreads = 8, kRounds = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < kRounds; ++n) EXPECT_EQ(rig->add("ada", {{"used", 3}, {"files", -1}}), SP_OK);
    });
  }
  for (auto& thread : threads) thread.join();
  Json ada;
  ASSERT_EQ(rig->get("ada", ada), SP_OK);
  EXPECT_EQ(ada["used"], kThreads * kRounds * 3);
  EXPECT_EQ(ada["files"], -kThreads * kRounds);
}

TEST(Contract, CountersAreAllOrNothing) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", person()), SP_OK);
  EXPECT_EQ(rig->add("ada", {{"used", 3}, {"status", 1}}), SP_E_INVALID);
  EXPECT_EQ(rig->add("ada", {{"used", 3}, {"nothing", 1}}), SP_E_INVALID);
  EXPECT_EQ(rig->add("bob", {{"used", 3}}), SP_E_NOT_FOUND);
  Json ada;
  ASSERT_EQ(rig->get("ada", ada), SP_OK);
  EXPECT_EQ(ada["used"], 0);
}

TEST(Contract, ManyReadersWhileOneWrites) {
  auto rig = make_rig();
  ASSERT_EQ(rig->insert("ada", person()), SP_OK);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const sp_op op{sizeof op, 0, 0, 0, 0};
      for (int n = 0; n < 100; ++n) {
        if (i == 0) {
          EXPECT_EQ(rig->add("ada", {{"used", 1}}), SP_OK);
          continue;
        }
        int got = 0;
        const sp_record_sink sink{
            &got, [](void* ctx, sp_str) noexcept -> sp_status { return ++*static_cast<int*>(ctx), SP_OK; }};
        EXPECT_EQ(rig->raw()->ops->get(rig->raw(), &op, sallyport::str("users"), sallyport::str("ada"), &sink, nullptr),
                  SP_OK);
        EXPECT_EQ(got, 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(Contract, AnUnknownWayToPrepareIsRefused) {
  auto rig = make_rig();
  EXPECT_EQ(rig->prepare(SP_PREPARE_LOOK + 1), SP_E_INVALID);
}

TEST(Contract, CheckSucceedsAndUnknownCollectionsFail) {
  auto rig = make_rig();
  EXPECT_EQ(rig->check(), SP_OK);
  const sp_op op{sizeof op, 0, 0, 0, 0};
  EXPECT_EQ(rig->raw()->ops->remove(rig->raw(), &op, sallyport::str("groups"), sallyport::str("x"), nullptr),
            SP_E_INVALID);
}

}  // namespace
}  // namespace provider_common::testing
