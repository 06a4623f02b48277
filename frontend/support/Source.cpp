// Examples from images and texts.
#include "gen/loader.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <numeric>
#include <stdexcept>

namespace gen::data {

int64_t Feature::size() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
}

std::string Feature::describe() const {
  return fmt::format("{}[{}]", integer ? "i64" : "f32", fmt::join(shape, ", "));
}

size_t Source::find(const std::string &feature) const {
  std::string names;
  for (size_t i = 0; i < features().size(); ++i) {
    if (features()[i].name == feature)
      return i;
    names += (i == 0 ? "" : ", ") + features()[i].name;
  }
  throw std::runtime_error(fmt::format("expected data with '{}', got {}", feature, names));
}

Batch Source::batch(int64_t first, int64_t count) const {
  Batch made;
  made.features.resize(features().size());
  for (int64_t i = 0; i < count; ++i)
    read(first + i, made);
  return made;
}

ImageSource::ImageSource(Images given, double low, double high, int64_t size)
    : images(std::move(given)) {
  // One rounding, so that every machine trains on the same numbers.
  for (int byte = 0; byte < 256; ++byte)
    values.push_back(static_cast<float>(255 * low + (high - low) * byte) / 255.0F);
  const Resizer::Size from{images.height, images.width},
      to = size > 0 ? Resizer::Size{size, size} : from;
  if (to.height != from.height || to.width != from.width)
    resizer.emplace(from, to);
  list.push_back({"images", {images.channels, to.height, to.width}, false});
  if (!images.labels.empty())
    list.push_back({"labels", {}, true});
}

void ImageSource::read(int64_t example, Batch &batch) const {
  ++batch.size;
  int64_t area = images.height * images.width, channels = images.channels;
  const uint8_t *from = images.pixels.data() + example * area * channels;
  std::vector<float> planes;
  std::vector<float> &to = batch.features[0].reals, &own = resizer ? planes : to;
  for (int64_t channel = 0; channel < channels; ++channel)
    for (int64_t pixel = 0; pixel < area; ++pixel)
      own.push_back(values[from[pixel * channels + channel]]);
  if (resizer)
    (*resizer)(planes.data(), channels, to);
  if (list.size() > 1)
    batch.features[1].integers.push_back(images.labels[static_cast<size_t>(example)]);
}

TextSource::TextSource(std::shared_ptr<const Text> given, int64_t begin, int64_t end,
                       int64_t length, int64_t stride)
    : text(std::move(given)), begin(begin), length(length), stride(stride),
      windows(end - begin > length ? (end - begin - length - 1) / stride + 1 : 0),
      list{{"ids", {length}, true}, {"targets", {length}, true}} {}

void TextSource::read(int64_t example, Batch &batch) const {
  ++batch.size;
  auto first = text->characters.begin() + begin + example * stride;
  for (int64_t shift : {0, 1}) {
    std::vector<int64_t> &to = batch.features[static_cast<size_t>(shift)].integers;
    to.insert(to.end(), first + shift, first + shift + length);
  }
}

TrainingData imageData(const std::string &path, const ImageOptions &options) {
  std::error_code error;
  Dataset set = path.empty()                                    ? drawnDigits()
                : std::filesystem::is_regular_file(path, error) ? readImageFile(path)
                                                                : readFolder(path);
  TrainingData data;
  data.name = set.name;
  data.facts["image_channels"] = static_cast<double>(set.train.channels);
  auto largest = std::max_element(set.train.labels.begin(), set.train.labels.end());
  if (largest != set.train.labels.end())
    data.facts["classes"] = *largest + 1;
  data.train =
      std::make_shared<ImageSource>(std::move(set.train), options.low, options.high, options.size);
  if (set.test.count > 0)
    data.test =
        std::make_shared<ImageSource>(std::move(set.test), options.low, options.high, options.size);
  return data;
}

TrainingData textData(const std::string &path, const TextOptions &options) {
  auto text =
      std::make_shared<const Text>(path.empty() ? textOf("tales", toldTales()) : readText(path));
  auto all = static_cast<int64_t>(text->characters.size()), split = all - all / 10;
  if (split <= options.length || all - split <= options.length)
    throw std::runtime_error(
        fmt::format("{}: expected more than {} characters, so that the last tenth has a window of "
                    "{}, got {}",
                    text->name, 10 * options.length, options.length, all));
  TrainingData data;
  data.name = text->name;
  data.facts = {{"vocabulary", static_cast<double>(text->alphabet.size())}};
  data.metadata = {{"alphabet", utf8Of(text->alphabet)}};
  data.train = std::make_shared<TextSource>(text, 0, split, options.length, options.stride);
  data.test = std::make_shared<TextSource>(text, split, all, options.length, options.length);
  return data;
}

} // namespace gen::data
