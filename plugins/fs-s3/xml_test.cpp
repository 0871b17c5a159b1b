// SPDX-License-Identifier: Apache-2.0
//
// What stores answer, and what no parser of XML would take.
#include "xml.h"

#include <gtest/gtest.h>

namespace fs_s3 {
namespace {

std::string read(const std::string& written) {
  return xml_element("<?xml version=\"1.0\"?>\r\n<A>" + written + "</A>", "A");
}

TEST(Xml, KeysHaveCharactersThatXmlHasNot) {
  EXPECT_EQ(read("a&#x01;b"),
            "a\x01"
            "b");
  EXPECT_EQ(read("&#1;&#x1F;&#x0b;&#31;"), "\x01\x1f\x0b\x1f");
  EXPECT_EQ(read("raw\x01\x0b\x1b"), "raw\x01\x0b\x1b");
  EXPECT_EQ(read("\t\n&#x0d;&#10;\x7f&amp;#x01;"), "\t\n\r\n\x7f&#x01;");
  EXPECT_EQ(read("\xEF\xBF\xBE\xEF\xBF\xBF&#xFFFE;"), "\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBE");
}

TEST(Xml, WhatDisguisesThemIsReadAsWell) {
  const std::string mask = "\xEE\x80\x80";
  EXPECT_EQ(read(mask + "01&#xE000;&#57344;ee" + mask), mask + "01" + mask + mask + "ee" + mask);
}

TEST(Xml, TheRestIsAsStrictAsEver) {
  for (const char* const broken : {"&#x110000;", "&#xD800;", "&#x;", "&#", "&#x01", "&none;", "\xff", "<B>"}) {
    EXPECT_EQ(read(broken), "") << broken;
  }
  EXPECT_FALSE(parse_xml("<A\x01/>", [](auto, const auto&) {}));
  EXPECT_FALSE(parse_xml("<!DOCTYPE a><A/>", [](auto, const auto&) {}));
}

}  // namespace
}  // namespace fs_s3
