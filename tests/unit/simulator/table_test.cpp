#include "table.hpp"

#include <gtest/gtest.h>

namespace tbs::simulator {
namespace {

constexpr Microseconds kNow{0};

JsonPointer object(const char* name) {
    return std::make_shared<const Json>(Json{{"name", name}});
}

TEST(Table, WriteShowsWhenItIsDue) {
    Table table;
    table.write("a", object("one"), Microseconds(10), kNow);
    EXPECT_EQ(table.visible("a"), nullptr);
    EXPECT_NE(table.accepted("a"), nullptr);
    table.advance(Microseconds(9));
    EXPECT_EQ(table.visible("a"), nullptr);
    table.advance(Microseconds(10));
    EXPECT_EQ(table.visible("a"), table.accepted("a"));
}

TEST(Table, DeletedEntryGoesAwayWhenNobodySeesIt) {
    Table table;
    table.write("a", object("one"), kNow, kNow);
    table.write("a", nullptr, Microseconds(10), kNow);
    EXPECT_NE(table.visible("a"), nullptr);
    EXPECT_EQ(table.accepted("a"), nullptr);
    table.advance(Microseconds(10));
    EXPECT_TRUE(table.entries().empty());
}

// The first object's late write must not show up in its successor.
TEST(Table, SuccessorDoesNotInheritWhatWasPending) {
    Table table;
    table.write("a", object("old"), Microseconds(100), kNow);
    table.write("a", nullptr, kNow, kNow);
    EXPECT_TRUE(table.entries().empty());
    table.write("a", object("new"), Microseconds(200), kNow);
    table.advance(Microseconds(150));
    EXPECT_EQ(table.visible("a"), nullptr);
    table.advance(Microseconds(200));
    EXPECT_EQ(table.visible("a")->at("name"), "new");
}

TEST(Table, GroupsFollowTheObjects) {
    Table table([](const Json& value) { return text_member(value, "name"); });
    table.write("a", object("x"), kNow, kNow);
    table.write("b", object("x"), kNow, kNow);
    EXPECT_EQ(table.group("x"), (Table::Keys{"a", "b"}));
    table.write("a", nullptr, kNow, kNow);
    EXPECT_EQ(table.group("x"), (Table::Keys{"b"}));
    EXPECT_TRUE(table.group("y").empty());
}

}  // namespace
}  // namespace tbs::simulator
