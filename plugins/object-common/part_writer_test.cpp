// SPDX-License-Identifier: Apache-2.0
#include "object-common/part_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace object_common {
namespace {

class Seen final : public PartSum {
 public:
  void add(std::span<const std::byte> data) override {
    text.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  std::string text;
};

class Target final : public PartTarget {
 public:
  std::unique_ptr<PartSum> new_sum() override { return std::make_unique<Seen>(); }
  Outcome<void> put_whole(const Stop&, const PartData& data) override {
    ++wholes;
    return keep(0, data);
  }
  Outcome<void> begin(const Stop&) override {
    ++begins;
    return {};
  }
  Outcome<void> put_part(const Stop&, int number, const PartData& data) override {
    {
      const std::lock_guard lock(mutex);
      most = std::max(most, ++running);
    }
    std::this_thread::yield();
    auto done = number == failing ? Outcome<void>(Failure{SP_E_IO, "part refused", 0}) : keep(number, data);
    const std::lock_guard lock(mutex);
    --running;
    return done;
  }
  Outcome<void> complete(const Stop&, int count) override {
    completed = count;
    if (refuses_end) return Failure{SP_E_DENIED, "no end", 0};
    return {};
  }
  void abort() override {
    const std::lock_guard lock(mutex);
    EXPECT_EQ(running, 0) << "a part that arrives after the abort would stay";
    ++aborts;
  }
  std::string joined() {
    std::string all;
    for (const auto& [number, data] : parts) all += data;
    return all;
  }
  std::mutex mutex;
  std::map<int, std::string> parts;
  int wholes = 0, begins = 0, aborts = 0, completed = 0, failing = 0, running = 0, most = 0, sums = 0;
  bool refuses_end = false;

 private:
  Outcome<void> keep(int number, const PartData& data) {
    const std::lock_guard lock(mutex);
    parts[number].assign(reinterpret_cast<const char*>(data.bytes.data()), data.bytes.size());
    if (data.sum != nullptr) {
      EXPECT_EQ(dynamic_cast<Seen&>(*data.sum).text, parts[number]) << "a sum is of its part's data";
    }
    sums += data.sum != nullptr ? 1 : 0;
    return {};
  }
};

class PartWriterTest : public testing::Test {
 protected:
  PartWriter& writer(std::size_t memory = 1 << 20) {
    budget = std::make_shared<MemoryBudget>(memory);
    made = std::make_unique<PartWriter>(
        target, pool, budget,
        PartLimits{.part_bytes = part, .concurrency = 2, .max_parts = 50, .min_part_bytes = part / 2});
    return *made;
  }
  static std::string text(std::size_t size) {
    std::string out;
    for (std::size_t i = 0; out.size() < size; ++i) out += std::to_string(i) + ",";
    out.resize(size);
    return out;
  }
  static Outcome<void> append(PartWriter& to, const std::string& data, std::size_t step) {
    for (std::size_t at = 0; at < data.size(); at += step) {
      const auto piece = std::string_view(data).substr(at, step);
      if (auto done = to.append(nullptr, std::as_bytes(std::span(piece))); !done) return done;
    }
    return {};
  }
  std::shared_ptr<Target> target = std::make_shared<Target>();
  TaskPool pool{"test", 4, 8};
  std::size_t part = 1000;
  std::shared_ptr<MemoryBudget> budget;
  std::unique_ptr<PartWriter> made;
};

TEST_F(PartWriterTest, ASmallFileIsOneRequest) {
  auto& to = writer();
  ASSERT_TRUE(append(to, text(999), 100));
  ASSERT_TRUE(to.finish(nullptr));
  EXPECT_EQ(target->wholes, 1);
  EXPECT_EQ(target->begins, 0);
  EXPECT_EQ(target->joined(), text(999));
}

TEST_F(PartWriterTest, AnEmptyFileToo) {
  ASSERT_TRUE(writer().finish(nullptr));
  EXPECT_EQ(target->wholes, 1);
  EXPECT_EQ(target->parts.at(0), "");
}

TEST_F(PartWriterTest, ALargeOneGoesInPartsWithinTheConcurrency) {
  auto& to = writer();
  ASSERT_TRUE(append(to, text(12'345), 777));
  EXPECT_EQ(to.size(), 12'345U);
  ASSERT_TRUE(to.finish(nullptr));
  EXPECT_EQ(target->completed, 13);
  EXPECT_EQ(target->joined(), text(12'345));
  EXPECT_LE(target->most, 2);
  EXPECT_EQ(target->sums, 13);
  EXPECT_EQ(target->aborts, 0);
}

TEST_F(PartWriterTest, APartThatTheStoreMakesStandsBetweenData) {
  auto& to = writer();
  ASSERT_TRUE(append(to, text(600), 100));
  ASSERT_TRUE(to.may_append_part());
  ASSERT_TRUE(to.append_part(nullptr, 5000, [&](const Stop&, int number) -> Outcome<void> {
    return target->put_part(nullptr, number, {std::as_bytes(std::span("copied", 6))});
  }));
  EXPECT_EQ(to.size(), 5600U);
  ASSERT_TRUE(append(to, "end", 3));
  EXPECT_FALSE(to.may_append_part()) << "so little is no part unless it is the last";
  ASSERT_TRUE(to.finish(nullptr));
  EXPECT_EQ(target->joined(), text(600) + "copied" + "end");
  EXPECT_EQ(target->completed, 3);
}

TEST_F(PartWriterTest, APartThatFailsEndsItAndNothingStays) {
  target->failing = 3;
  auto& to = writer();
  auto done = append(to, text(20'000), 500);
  if (done) done = to.finish(nullptr);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().message, "part refused");
  to.abort();
  EXPECT_EQ(target->completed, 0);
  EXPECT_EQ(target->aborts, 1);
}

TEST_F(PartWriterTest, ARefusedEndTakesThePartsBack) {
  target->refuses_end = true;
  auto& to = writer();
  ASSERT_TRUE(append(to, text(5000), 500));
  EXPECT_FALSE(to.finish(nullptr));
  EXPECT_EQ(target->aborts, 1);
}

TEST_F(PartWriterTest, WhoJustGoesLeavesNothing) {
  ASSERT_TRUE(append(writer(), text(5000), 500));
  made.reset();
  EXPECT_EQ(target->aborts, 1);
}

TEST_F(PartWriterTest, AbortBeforeTheFirstPartAsksNothingOfTheStore) {
  auto& to = writer();
  ASSERT_TRUE(append(to, text(500), 500));
  to.abort();
  EXPECT_EQ(target->wholes + target->begins + target->aborts, 0);
}

TEST_F(PartWriterTest, AFileBeyondTheLastPartIsRefused) {
  auto done = append(writer(), text(51'000), 500);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().status, SP_E_NO_SPACE);
}

TEST_F(PartWriterTest, TheMemoryComesBack) {
  auto& to = writer(3000);
  ASSERT_TRUE(append(to, text(20'000), 500));
  ASSERT_TRUE(to.finish(nullptr));
  made.reset();
  EXPECT_TRUE(budget->take(3000));
}

TEST_F(PartWriterTest, AFewBytesNeedNoMemoryOfTheBudget) {
  part = 1 << 20;
  auto& to = writer(0);
  ASSERT_TRUE(append(to, text(60'000), 60'000));
  ASSERT_TRUE(to.finish(nullptr));
  EXPECT_EQ(target->joined(), text(60'000));
}

TEST_F(PartWriterTest, WhenMemoryIsShortAPartGoesBeforeItIsFull) {
  part = 1 << 20;
  auto& to = writer(600'000);
  ASSERT_TRUE(append(to, text(3'000'000), 100'000));
  ASSERT_TRUE(to.finish(nullptr));
  EXPECT_EQ(target->joined(), text(3'000'000));
  EXPECT_GE(target->completed, 5) << "none was larger than the memory";
}

TEST(PartLimits, TenThousandPartsHoldFiveTebibytes) {
  PartLimits limits;
  limits.part_bytes = 5 * 1024 * 1024;
  double sum = 0;
  for (int number = 1; number <= limits.max_parts; ++number) {
    sum += static_cast<double>(part_bytes(limits, number));
  }
  EXPECT_GT(sum, 5.0 * (1ULL << 40));
  EXPECT_EQ(part_bytes(limits, limits.max_parts), limits.max_part_bytes);
  EXPECT_EQ(part_bytes(limits, 250), limits.part_bytes);
  EXPECT_EQ(part_bytes(limits, 251), limits.part_bytes * 2);
}

TEST(PartLimits, LargerPartsAreFewerAtOnce) {
  const PartLimits limits{.part_bytes = 8, .concurrency = 3};
  EXPECT_EQ(parts_at_once(limits, 8), 3);
  EXPECT_EQ(parts_at_once(limits, 16), 2);
  EXPECT_EQ(parts_at_once(limits, 32), 1);
  EXPECT_EQ(parts_at_once(limits, 256), 1);
}

}  // namespace
}  // namespace object_common
