// Data sets of images: from folders, and drawn.
#include "gen/data.hpp"
#include "gen/digits.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <stdexcept>

namespace gen::data {
namespace {

std::optional<std::string> findFile(const std::string &folder, const std::string &name) {
  for (const char *suffix : {"", ".gz"}) {
    std::filesystem::path path = std::filesystem::path(folder) / (name + suffix);
    std::error_code error;
    if (std::filesystem::exists(path, error))
      return path.string();
  }
  return std::nullopt;
}

Images readImages(const std::string &imagesPath, const std::optional<std::string> &labelsPath) {
  ByteArray array = readIdx(imagesPath);
  size_t rank = array.shape.size();
  if (rank != 3 && rank != 4)
    throw std::runtime_error(
        fmt::format("{}: expected images [count, height, width] or [count, height, "
                    "width, channels], got [{}]",
                    imagesPath, fmt::join(array.shape, ", ")));
  Images images;
  images.count = array.shape[0];
  images.height = array.shape[1];
  images.width = array.shape[2];
  images.channels = rank == 4 ? array.shape[3] : 1;
  images.pixels = std::move(array.values);
  if (images.pixels.empty())
    throw std::runtime_error(
        fmt::format("{}: no pixels: the shape is [{}]", imagesPath, fmt::join(array.shape, ", ")));
  if (labelsPath) {
    ByteArray labels = readIdx(*labelsPath);
    if (labels.shape != std::vector<int64_t>{images.count})
      throw std::runtime_error(
          fmt::format("{}: expected {} labels, as many as {} has images, got [{}]", *labelsPath,
                      images.count, imagesPath, fmt::join(labels.shape, ", ")));
    images.labels = std::move(labels.values);
  }
  return images;
}

// The part [begin, end) of a set.
Images slice(const Images &images, int64_t begin, int64_t end) {
  Images part = images;
  part.count = end - begin;
  int64_t size = images.pixelsPerImage();
  part.pixels.assign(images.pixels.begin() + begin * size, images.pixels.begin() + end * size);
  if (!images.labels.empty())
    part.labels.assign(images.labels.begin() + begin, images.labels.begin() + end);
  return part;
}

// The last tenth of a set is the test part.
void split(Dataset &set, const Images &whole) {
  int64_t begin = whole.count - std::max<int64_t>(whole.count / 10, whole.count > 1);
  set.train = slice(whole, 0, begin);
  set.test = slice(whole, begin, whole.count);
}

std::string folderName(const std::string &folder) {
  std::filesystem::path path = std::filesystem::path(folder).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

} // namespace

Dataset readFolder(const std::string &folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error))
    throw std::runtime_error(
        fmt::format("{}: expected a folder with IDX files, got {}", folder,
                    std::filesystem::exists(folder, error) ? "a file" : "nothing of that name"));
  auto trainPath = findFile(folder, "train-images-idx3-ubyte");
  auto testPath = findFile(folder, "t10k-images-idx3-ubyte");
  if (!testPath && !trainPath)
    throw std::runtime_error(
        fmt::format("{}: expected train-images-idx3-ubyte or t10k-images-idx3-ubyte, "
                    "plain or .gz, got neither; hint: use the files of MNIST or "
                    "Fashion-MNIST as they are published",
                    folder));
  Dataset set{folderName(folder), {}, {}};
  if (trainPath)
    set.train = readImages(*trainPath, findFile(folder, "train-labels-idx1-ubyte"));
  if (testPath)
    set.test = readImages(*testPath, findFile(folder, "t10k-labels-idx1-ubyte"));
  if (trainPath && testPath) {
    if (set.train.height != set.test.height || set.train.width != set.test.width ||
        set.train.channels != set.test.channels)
      throw std::runtime_error(
          fmt::format("{}: the training images are {}x{}x{}, the test images {}x{}x{}", folder,
                      set.train.height, set.train.width, set.train.channels, set.test.height,
                      set.test.width, set.test.channels));
    return set;
  }
  split(set, Images(trainPath ? set.train : set.test));
  return set;
}

Dataset readImageFile(const std::string &path) {
  Dataset set{std::filesystem::path(path).filename().string(), {}, {}};
  split(set, readImages(path, std::nullopt));
  return set;
}

Dataset drawnDigits(int64_t trainCount, int64_t testCount, uint64_t seed) {
  Dataset set{"digits", {}, {}};
  Images *parts[] = {&set.train, &set.test};
  int64_t counts[] = {trainCount, testCount}, first = 0;
  for (int part = 0; part < 2; first += counts[part++]) {
    Images &images = *parts[part];
    images.count = counts[part];
    images.height = images.width = digitSize;
    images.pixels.resize(static_cast<size_t>(images.count * images.pixelsPerImage()));
    images.labels.resize(static_cast<size_t>(images.count));
    for (int64_t i = 0; i < images.count; ++i)
      images.labels[i] =
          drawDigit(seed, first + i, images.pixels.data() + i * images.pixelsPerImage());
  }
  return set;
}

} // namespace gen::data
