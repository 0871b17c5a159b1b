// SPDX-License-Identifier: Apache-2.0
#include "host/sftp/dispatch.h"

#include <gtest/gtest.h>

#include <set>

#include "host/core/limits.h"
#include "host/sftp/testing/client.h"

namespace host::sftp {
namespace {

using testing::as_bytes;
using testing::Ask;

template <class Fields>
Fields parse(const Ask& ask) {
  auto request = parse_packet(as_bytes(ask.body()), nullptr);
  EXPECT_TRUE(request.has_value());
  auto* fields = std::get_if<Fields>(&request->body);
  EXPECT_NE(fields, nullptr);
  return fields == nullptr ? Fields{} : *fields;
}

TEST(Dispatch, EveryRowIsWhole) {
  std::set<std::string_view> names;
  for (const auto& row : rows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_NE(row.parse, nullptr) << row.name;
    EXPECT_NE(row.run, nullptr) << row.name;
    EXPECT_EQ(row.type == Type::kExtended, !row.version.empty()) << row.name;
    EXPECT_EQ(row.type == Type::kExtended, row.offered != nullptr) << row.name;
  }
}

// filexfer-02 section 3: all requests of version 3.
TEST(Dispatch, KnowsTheWholeProtocol) {
  std::set<int> types;
  for (const auto& row : rows()) types.insert(static_cast<int>(row.type));
  for (int type = 3; type <= 20; ++type) EXPECT_TRUE(types.contains(type)) << type;
  EXPECT_TRUE(types.contains(1));
  EXPECT_TRUE(types.contains(200));
}

TEST(Dispatch, ReadsEveryShape) {
  const std::string handle("\0\0\0\1\0\0\0\2", 8);
  const HandleId id = 0x100000002;

  EXPECT_EQ(parse<PathFields>(Ask(Type::kStat, 1).text("a/../b//c")).path.str(), "/b/c");
  const auto rename = parse<TwoPathFields>(Ask(Type::kRename, 1).text("/a").text("/b"));
  EXPECT_EQ(rename.path.str() + rename.to.str(), "/a/b");
  const auto link = parse<LinkFields>(Ask(Type::kSymlink, 1).text("../x/./y").text("/l/"));
  EXPECT_EQ(link.target, "../x/./y");
  EXPECT_EQ(link.path.str(), "/l");
  EXPECT_EQ(parse<HandleFields>(Ask(Type::kClose, 1).text(handle)).handle, id);
  EXPECT_EQ(parse<HandleFields>(Ask(Type::kClose, 1).text("1")).handle, 0u);

  const auto read = parse<ReadFields>(Ask(Type::kRead, 1).text(handle).u64(5).u32(0xffffffff));
  EXPECT_EQ(read.handle, id);
  EXPECT_EQ(read.offset, 5u);
  EXPECT_EQ(read.length, core::limits::kMaxReadBytes);
  const auto write = parse<WriteFields>(Ask(Type::kWrite, 1).text(handle).u64(7).text("abc"));
  EXPECT_EQ(write.offset, 7u);
  EXPECT_EQ(write.data.size(), 3u);
  const auto copy = parse<CopyFields>(Ask::extended(1, "copy-data").text(handle).u64(1).u64(2).text("x").u64(3));
  EXPECT_EQ(copy.handle, id);
  EXPECT_EQ(copy.to, 0u);
  EXPECT_EQ(copy.from_offset + copy.length + copy.to_offset, 6u);
  EXPECT_FALSE(copy.to_end);
  const auto names = parse<NamesFields>(
      Ask::extended(1, "users-groups-by-id@openssh.com").text(std::string("\0\0\0\5\0\0\1\0", 8)).text(""));
  EXPECT_EQ(names.users, (std::vector<std::uint32_t>{5, 256}));
  EXPECT_TRUE(names.groups.empty());
}

TEST(Dispatch, ReadsAllAttributes) {
  const auto fields = parse<AttrsFields>(Ask(Type::kSetstat, 1)
                                             .text("/f")
                                             .u32(0x8000000f)
                                             .u64(10)
                                             .u32(1)
                                             .u32(2)
                                             .u32(0107777)
                                             .u32(3)
                                             .u32(0xffffffff)
                                             .u32(1)
                                             .text("who@where")
                                             .text("what"));
  EXPECT_EQ(fields.attrs.valid,
            core::Attrs::kSize | core::Attrs::kOwner | core::Attrs::kPerms | core::Attrs::kAtime | core::Attrs::kMtime);
  EXPECT_EQ(fields.attrs.size, 10u);
  EXPECT_EQ(fields.attrs.uid, 1u);
  EXPECT_EQ(fields.attrs.gid, 2u);
  EXPECT_EQ(fields.attrs.perms, 07777u);
  EXPECT_EQ(fields.attrs.atime_ns, 3'000'000'000);
  EXPECT_EQ(fields.attrs.mtime_ns, 4'294'967'295'000'000'000);
}

TEST(Dispatch, OpenFlags) {
  const struct {
    std::uint32_t flags;
    const char* meaning;
  } rows[] = {{1, "r"},  {2, "w"},       {3, "rw"},     {2 | 8 | 16, "wct"}, {2 | 8 | 32, "wcx"},
              {4, "wa"}, {1 | 8, "rwc"}, {1 | 32, "r"}, {16, "wt"},          {0xffffffff, "rwcxta"}};
  for (const auto& row : rows) {
    const auto open = parse<OpenFields>(Ask(Type::kOpen, 1).text("/f").u32(row.flags).u32(0)).request;
    std::string meaning;
    if (open.read) meaning += 'r';
    if (open.write) meaning += 'w';
    if (open.create) meaning += 'c';
    if (open.exclusive) meaning += 'x';
    if (open.truncate) meaning += 't';
    if (open.append) meaning += 'a';
    EXPECT_EQ(meaning, row.meaning) << row.flags;
  }
}

TEST(Dispatch, ExpandsOnlyOnesOwnHome) {
  const auto expand = [](std::string_view text) {
    auto request = parse_packet(as_bytes(Ask::extended(1, "expand-path@openssh.com").text(text).body()), nullptr);
    auto* fields = std::get_if<PathFields>(&request->body);
    return fields == nullptr ? std::string("refused") : fields->path.str();
  };
  EXPECT_EQ(expand("~"), "/");
  EXPECT_EQ(expand("~/"), "/");
  EXPECT_EQ(expand("~/x/../y"), "/y");
  EXPECT_EQ(expand("rel"), "/rel");
  EXPECT_EQ(expand("/abs"), "/abs");
  EXPECT_EQ(expand("~bob/x"), "refused");
}

TEST(Dispatch, TooManyNamesAreRefused) {
  const auto ask = Ask::extended(1, "users-groups-by-id@openssh.com").text(std::string(4 * 1025, 'x')).text("");
  EXPECT_EQ(parse<Refused>(ask).text, "too many names");
  const auto odd = Ask::extended(1, "users-groups-by-id@openssh.com").text("xxx").text("");
  EXPECT_EQ(parse<Refused>(odd).code, Code::kBadMessage);
}

// Whatever is cut off anywhere is a flaw to answer, never an overrun (the sanitizers watch).
TEST(Dispatch, EveryTruncationIsHandled) {
  const std::string handle(8, 'h');
  const Ask asks[] = {Ask(Type::kOpen, 1).text("/f").u32(1).u32(15).u64(1).u32(1).u32(1).u32(1).u32(1).u32(1),
                      Ask(Type::kRead, 1).text(handle).u64(1).u32(1),
                      Ask(Type::kWrite, 1).text(handle).u64(1).text("abc"),
                      Ask(Type::kRename, 1).text("/a").text("/b"),
                      Ask(Type::kFsetstat, 1).text(handle).u32(1).u64(1),
                      Ask::extended(1, "copy-data").text(handle).u64(1).u64(1).text(handle).u64(1)};
  for (const auto& ask : asks) {
    for (std::size_t length = 0; length < ask.body().size(); ++length) {
      const auto request = parse_packet(as_bytes(ask.body()).first(length), nullptr);
      EXPECT_EQ(request.has_value(), length >= 5);
      if (!request) continue;
      const auto* refused = std::get_if<Refused>(&request->body);
      ASSERT_NE(refused, nullptr) << length;
      // An extension's name that is cut off is malformed; a shorter valid one would be unknown.
      EXPECT_EQ(refused->code, Code::kBadMessage) << length;
    }
  }
}

}  // namespace
}  // namespace host::sftp
