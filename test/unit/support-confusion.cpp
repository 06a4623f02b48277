// Figures of a confusion matrix, against numbers by hand.
#include "gen/confusion.hpp"
#include "support-files.h"

#include <gmock/gmock.h>

using gen::Confusion;
using gen::test::errorOf;
using testing::HasSubstr;

namespace {

// 0: 3 of 4 right, one taken for 1; 1: 2 of 2; 2: none of 2, one taken for 0 and one for 1.
Confusion threeClasses() {
  Confusion confusion;
  for (auto [truth, predicted] :
       {std::pair{0, 0}, {0, 0}, {0, 0}, {0, 1}, {1, 1}, {1, 1}, {2, 0}, {2, 1}})
    confusion.add(truth, predicted);
  return confusion;
}

TEST(Confusion, FiguresOfClasses) {
  Confusion confusion = threeClasses();
  EXPECT_EQ(confusion.classes(), 3);
  EXPECT_EQ(confusion.count(2, 1), 1);
  EXPECT_DOUBLE_EQ(confusion.accuracy(), 5.0 / 8);
  EXPECT_DOUBLE_EQ(confusion.precision(0), 3.0 / 4);
  EXPECT_DOUBLE_EQ(confusion.recall(0), 3.0 / 4);
  EXPECT_DOUBLE_EQ(confusion.precision(1), 2.0 / 4);
  EXPECT_DOUBLE_EQ(confusion.recall(1), 1);
  EXPECT_DOUBLE_EQ(confusion.f1(1), 2.0 / 3);
}

TEST(Confusion, AClassThatIsNeverRightCountsAsZero) {
  Confusion confusion = threeClasses();
  EXPECT_EQ(confusion.precision(2), 0);
  EXPECT_EQ(confusion.f1(2), 0);
  EXPECT_DOUBLE_EQ(macro(confusion, &Confusion::recall), (0.75 + 1 + 0) / 3);
  EXPECT_EQ(Confusion().accuracy(), 0);
}

TEST(Confusion, TableAndPicture) {
  Confusion confusion = threeClasses();
  EXPECT_THAT(confusion.table(), HasSubstr("       1         2    0.5000    1.0000    0.6667\n"));
  EXPECT_THAT(confusion.table(), HasSubstr("   macro              0.4167    0.5833    0.4722\n"));
  EXPECT_THAT(confusion.svg(), HasSubstr("fill-opacity=\"0.750\""));
}

TEST(Confusion, RefusesWhatIsNoClass) {
  EXPECT_EQ(errorOf([] { Confusion().add(0, -1); }),
            "expected classes from 0 to 65535, got 0 and -1");
  EXPECT_EQ(errorOf([] { Confusion().add(1 << 20, 0); }),
            "expected classes from 0 to 65535, got 1048576 and 0");
}

} // namespace
