// SPDX-License-Identifier: Apache-2.0
#include "host/auth/questions.h"

#include <gtest/gtest.h>

namespace host::auth {
namespace {

TEST(Questions, AreTakenAsTheyAre) {
  const auto asked = parse_questions(R"({"instruction": "hello", "questions": ["a: ", ""], "echos": [true, false]})");
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->instruction, "hello");
  EXPECT_EQ(asked->prompts, (std::vector<std::string>{"a: ", ""}));
  EXPECT_EQ(asked->echos, (std::vector<bool>{true, false}));
  EXPECT_FALSE(asked->check_password);
  EXPECT_TRUE(parse_questions(R"({"questions": ["p"], "echos": [false], "check_password": 1})")->check_password);
}

TEST(Questions, WhatCannotBeAskedIsRefused) {
  std::string many = R"({"questions": [""], "echos": [true]})";
  for (std::size_t i = 0; i < kMaxQuestions; ++i) {
    many.insert(many.find("\"\"]"), "\"\",");
    many.insert(many.find("true]"), "true,");
  }
  for (const std::string& text :
       {std::string("[]"), std::string("{}"), std::string("nothing"), std::string(5000, '['),
        std::string(R"({"questions": [], "echos": []})"), std::string(R"({"questions": ["a"], "echos": []})"),
        std::string(R"({"questions": ["a"], "echos": [1]})"), std::string(R"({"questions": [1], "echos": [true]})"),
        std::string(R"({"questions": ["a", "b"], "echos": [true, true], "check_password": 1})"),
        std::string("{\"questions\": [\"\xff\"], \"echos\": [true]}"), many}) {
    EXPECT_FALSE(parse_questions(text)) << text.substr(0, 100);
  }
}

}  // namespace
}  // namespace host::auth
