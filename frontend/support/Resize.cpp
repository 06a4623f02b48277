// Pictures in other sizes: weights of a triangle along each axis, as wide as a pixel of the coarser
// of both pictures (bilinear where it grows, and an average of all pixels where it shrinks).
#include "gen/resize.hpp"

#include <algorithm>
#include <cmath>

namespace gen::data {

std::vector<Resizer::Taps> Resizer::tapsOf(int64_t from, int64_t to) {
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

Resizer::Resizer(Size from, Size to)
    : from(from), to(to), rows(tapsOf(from.height, to.height)),
      columns(tapsOf(from.width, to.width)) {}

void Resizer::operator()(const float *planes, int64_t count, std::vector<float> &result) const {
  std::vector<float> wide(static_cast<size_t>(from.height * to.width));
  for (int64_t plane = 0; plane < count; ++plane, planes += from.height * from.width) {
    for (int64_t y = 0; y < from.height; ++y)
      for (int64_t x = 0; x < to.width; ++x) {
        const Taps &taps = columns[x];
        const float *pixel = planes + y * from.width + taps.first;
        float sum = 0;
        for (float weight : taps.weights)
          sum += weight * *pixel++;
        wide[y * to.width + x] = sum;
      }
    for (const Taps &taps : rows)
      for (int64_t x = 0; x < to.width; ++x) {
        const float *pixel = wide.data() + taps.first * to.width + x;
        float sum = 0;
        for (float weight : taps.weights) {
          sum += weight * *pixel;
          pixel += to.width;
        }
        result.push_back(sum);
      }
  }
}

} // namespace gen::data
