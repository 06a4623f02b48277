// Pictures in other sizes: weights of a triangle along each axis, as wide as a pixel of the coarser
// of both pictures (bilinear where it grows, and an average of all pixels where it shrinks).
#include "gen/resize.hpp"

#include <algorithm>
#include <cmath>

namespace gen::data {
namespace {

/// What a pixel is made of: pixels from `first` on, and their weights, which sum to 1.
struct Taps {
  int64_t first;
  std::vector<float> weights;
};

std::vector<Taps> tapsOf(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to),
               reach = std::max(scale, 1.0);
  std::vector<Taps> taps;
  for (int64_t i = 0; i < to; ++i) {
    double center = (static_cast<double>(i) + 0.5) * scale, sum = 0;
    auto first = std::max<int64_t>(0, std::llround(center - reach));
    auto last = std::min<int64_t>(from, std::llround(center + reach));
    std::vector<double> weights;
    for (int64_t j = first; j < last; ++j) {
      double distance = std::abs(static_cast<double>(j) + 0.5 - center) / reach;
      weights.push_back(std::max(0.0, 1 - distance));
      sum += weights.back();
    }
    taps.push_back({first, {}});
    for (double weight : weights)
      taps.back().weights.push_back(static_cast<float>(weight / sum));
  }
  return taps;
}

} // namespace

std::vector<float> resized(const float *planes, const PlaneShape &shape, int64_t height,
                           int64_t width) {
  std::vector<Taps> rows = tapsOf(shape.height, height), columns = tapsOf(shape.width, width);
  std::vector<float> result, wide(static_cast<size_t>(shape.height * width));
  result.reserve(static_cast<size_t>(shape.count * height * width));
  for (int64_t plane = 0; plane < shape.count; ++plane) {
    const float *from = planes + plane * shape.height * shape.width;
    for (int64_t y = 0; y < shape.height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        float sum = 0;
        for (size_t tap = 0; tap < columns[x].weights.size(); ++tap)
          sum += columns[x].weights[tap] *
                 from[y * shape.width + columns[x].first + static_cast<int64_t>(tap)];
        wide[y * width + x] = sum;
      }
    for (int64_t y = 0; y < height; ++y)
      for (int64_t x = 0; x < width; ++x) {
        float sum = 0;
        for (size_t tap = 0; tap < rows[y].weights.size(); ++tap)
          sum +=
              rows[y].weights[tap] * wide[(rows[y].first + static_cast<int64_t>(tap)) * width + x];
        result.push_back(sum);
      }
  }
  return result;
}

Images resized(const Images &images, int64_t height, int64_t width) {
  Images result = images;
  result.height = height;
  result.width = width;
  const int64_t channels = images.channels, area = images.height * images.width;
  result.pixels.resize(static_cast<size_t>(images.count * height * width * channels));
  std::vector<float> planes(static_cast<size_t>(channels * area));
  for (int64_t image = 0; image < images.count; ++image) {
    const uint8_t *from = images.pixels.data() + image * area * channels;
    for (int64_t i = 0; i < area * channels; ++i)
      planes[i % channels * area + i / channels] = from[i];
    std::vector<float> made =
        resized(planes.data(), {channels, images.height, images.width}, height, width);
    uint8_t *to = result.pixels.data() + image * height * width * channels;
    for (int64_t i = 0; i < height * width * channels; ++i)
      to[i] = static_cast<uint8_t>(std::lround(made[i % channels * height * width + i / channels]));
  }
  return result;
}

} // namespace gen::data
