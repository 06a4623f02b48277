// The IDX reader: good files of any rank, and hostile ones.
#include "gen/data.hpp"
#include "support-files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>
#include <sys/resource.h>

using namespace gen::test;
using gen::data::readIdx;
using testing::EndsWith;
using testing::HasSubstr;

namespace {

// An IDX file's bytes: a header for unsigned bytes of `shape`, then `data`.
std::string idx(const std::vector<uint32_t> &shape, const std::string &data) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (uint32_t size : shape)
    for (int shift : {24, 16, 8, 0})
      bytes += static_cast<char>(size >> shift);
  return bytes + data;
}

std::string errorOfReading(const std::string &path) {
  return errorOf([&] { readIdx(path); });
}

TEST(Idx, ReadsPlainAndCompressedFilesAlike) {
  Folder folder;
  std::string bytes = idx({2, 2, 3}, "abcdefghijkl");
  for (const std::string &path :
       {folder.write("a", bytes), folder.writeCompressed("a.gz", bytes)}) {
    gen::data::ByteArray array = readIdx(path);
    EXPECT_EQ(array.shape, (std::vector<int64_t>{2, 2, 3}));
    EXPECT_EQ(std::string(array.values.begin(), array.values.end()), "abcdefghijkl");
  }
}

TEST(Idx, ReadsRanksZeroToFourAndEmptyAxes) {
  Folder folder;
  EXPECT_EQ(readIdx(folder.write("scalar", idx({}, "x"))).values, std::vector<uint8_t>{'x'});
  EXPECT_EQ(readIdx(folder.write("one", idx({2}, "xy"))).shape, std::vector<int64_t>{2});
  EXPECT_EQ(readIdx(folder.write("four", idx({1, 1, 2, 2}, "abcd"))).values.size(), 4U);
  EXPECT_TRUE(readIdx(folder.write("empty", idx({0, 4294967295U}, ""))).values.empty());
}

TEST(Idx, NamesWhatIsMissing) {
  Folder folder;
  EXPECT_THAT(errorOfReading(folder.path("none")), HasSubstr("cannot open the file: No such file"));
  EXPECT_THAT(errorOfReading(folder.path("")), HasSubstr("expected an IDX file, got a folder"));
  EXPECT_THAT(errorOfReading(folder.write("short", std::string("\0\0", 2))),
              EndsWith("not an IDX file: it ends within the first 4 bytes"));
  EXPECT_THAT(errorOfReading(folder.write("png", "\x89PNG....")),
              EndsWith("expected it to begin with two zero bytes, got 89 50"));
  EXPECT_THAT(errorOfReading(folder.write("float", std::string("\0\0\x0d\x01\0\0\0\x01zzzz", 12))),
              EndsWith("expected elements of type unsigned byte (08), got float (0d)"));
  EXPECT_THAT(errorOfReading(folder.write("header", idx({5, 5}, "").substr(0, 10))),
              EndsWith("truncated: the header ends before the size of axis 1 of 2"));
}

TEST(Idx, RefusesDataThatIsTooShortOrTooLong) {
  Folder folder;
  EXPECT_THAT(errorOfReading(folder.write("short", idx({40}, "12345"))),
              EndsWith("truncated: the shape [40] needs 40 bytes, the file has 13"));
  EXPECT_THAT(errorOfReading(folder.write("less", idx({7}, "12345"))),
              EndsWith("truncated: the shape [7] needs 7 bytes of data, got 5"));
  EXPECT_THAT(errorOfReading(folder.writeCompressed("less.gz", idx({7}, "12345"))),
              EndsWith("truncated: the shape [7] needs 7 bytes of data, got 5"));
  EXPECT_THAT(errorOfReading(folder.write("more", idx({3}, "12345"))),
              EndsWith("the file goes on after the 3 bytes that the shape [3] needs"));
}

TEST(Idx, RefusesDamagedCompression) {
  Folder folder;
  std::mt19937 random(1);
  std::string data(100000, '\0');
  for (char &c : data)
    c = static_cast<char>(random());
  folder.writeCompressed("good.gz", idx({100000}, data));
  std::string bytes = folder.read("good.gz");
  EXPECT_THAT(errorOfReading(folder.write("cut.gz", bytes.substr(0, bytes.size() / 2))),
              testing::AnyOf(HasSubstr("truncated"), HasSubstr("damaged")));
  bytes[bytes.size() - 6] ^= 1; // in the checksum
  EXPECT_THAT(errorOfReading(folder.write("flipped.gz", bytes)),
              HasSubstr("the compressed data is damaged"));
}

TEST(Idx, DoesNotBelieveHugeSizes) {
  Folder folder;
  uint32_t most = 0xffffffffU;
  EXPECT_THAT(errorOfReading(folder.write("huge", idx({most, most, most}, "x"))),
              HasSubstr("more than the 4294967296 bytes that are allowed"));
  EXPECT_THAT(errorOfReading(folder.write("rank", idx(std::vector<uint32_t>(255, 2), "x"))),
              HasSubstr("more than the 4294967296 bytes that are allowed"));
  rusage before{}, after{};
  getrusage(RUSAGE_SELF, &before);
  EXPECT_THAT(errorOfReading(folder.write("large", idx({1U << 31}, "x"))), HasSubstr("truncated"));
  EXPECT_THAT(errorOfReading(folder.writeCompressed("large.gz", idx({1U << 31}, "x"))),
              HasSubstr("truncated"));
  getrusage(RUSAGE_SELF, &after);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 200 << 10)
      << "KiB more memory used for what was not there";
}

TEST(Idx, StopsReadingABombWhereTheShapeEnds) {
  Folder folder;
  std::string path = folder.writeCompressed("bomb.gz", idx({16}, std::string(64 << 20, '\0')));
  EXPECT_THAT(errorOfReading(path),
              EndsWith("the file goes on after the 16 bytes that the shape [16] needs"));
  EXPECT_THAT(
      errorOf([&] { readIdx(folder.writeCompressed("limit.gz", idx({64 << 20}, "")), 1 << 20); }),
      EndsWith("the shape [67108864] has more than the 1048576 bytes that are allowed"));
}

TEST(Idx, RandomBytesAreErrorsOrArrays) {
  Folder folder;
  std::mt19937 random(7);
  for (int i = 0; i < 500; ++i) {
    std::string bytes = idx({4, 5}, "01234567890123456789");
    for (int k = 0; k < 3; ++k)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    std::string path = folder.write("random", bytes), error;
    EXPECT_NO_FATAL_FAILURE(error = errorOfReading(path));
    EXPECT_TRUE(error.empty() || error.starts_with(path)) << error;
  }
}

TEST(Folder, ReadsSetsAndSplitsOneThatHasOnlyATestPart) {
  Folder folder;
  folder.writeCompressed("t10k-images-idx3-ubyte.gz", idx({20, 1, 2}, std::string(40, 'p')));
  folder.write("t10k-labels-idx1-ubyte", idx({20}, "0123456789abcdefghij"));
  gen::data::Dataset set = gen::data::readFolder(folder.path(""));
  EXPECT_EQ(set.train.count, 18);
  EXPECT_EQ(set.test.count, 2);
  EXPECT_EQ(set.test.labels, (std::vector<uint8_t>{'i', 'j'}));
  folder.write("train-images-idx3-ubyte", idx({5, 1, 2}, std::string(10, 'q')));
  set = gen::data::readFolder(folder.path(""));
  EXPECT_EQ(set.train.count, 5);
  EXPECT_TRUE(set.train.labels.empty());
  EXPECT_EQ(set.test.count, 20);
}

TEST(ImageFile, IsSplit) {
  Folder folder;
  std::string path =
      folder.writeCompressed("pictures.gz", idx({20, 1, 1, 3}, std::string(60, 'p')));
  gen::data::Dataset set = gen::data::readImageFile(path);
  EXPECT_EQ(set.name, "pictures.gz");
  EXPECT_EQ(set.train.count, 18);
  EXPECT_EQ(set.test.count, 2);
  EXPECT_EQ(set.test.channels, 3);
  EXPECT_TRUE(set.test.labels.empty());
  EXPECT_THAT(
      errorOf([&] { gen::data::readImageFile(folder.write("labels", idx({6}, "123456"))); }),
      HasSubstr("expected images [count, height, width]"));
}

TEST(Folder, SaysWhatIsWrongWithASet) {
  Folder folder;
  auto error = [&] { return errorOf([&] { gen::data::readFolder(folder.path("")); }); };
  EXPECT_THAT(
      error(),
      HasSubstr("expected train-images-idx3-ubyte or t10k-images-idx3-ubyte, plain or .gz"));
  EXPECT_THAT(errorOf([&] { gen::data::readFolder(folder.path("no")); }),
              EndsWith("got nothing of that name"));
  EXPECT_THAT(errorOf([&] { gen::data::readFolder(folder.write("f", "")); }),
              EndsWith("got a file"));
  folder.write("train-images-idx3-ubyte", idx({6}, "123456"));
  EXPECT_THAT(error(), HasSubstr("expected images [count, height, width]"));
  folder.write("train-images-idx3-ubyte", idx({0, 28, 28}, ""));
  EXPECT_THAT(error(), HasSubstr("no pixels: the shape is [0, 28, 28]"));
  folder.write("train-images-idx3-ubyte", idx({3, 1, 2}, "123456"));
  folder.write("train-labels-idx1-ubyte", idx({2}, "12"));
  EXPECT_THAT(error(), HasSubstr("expected 3 labels"));
  std::filesystem::remove(folder.path("train-labels-idx1-ubyte"));
  folder.write("t10k-images-idx3-ubyte", idx({3, 2, 2}, "123456789012"));
  EXPECT_THAT(error(), EndsWith("the training images are 1x2x1, the test images 2x2x1"));
}

} // namespace
