// Pictures in other sizes.
#ifndef GEN_RESIZE_HPP
#define GEN_RESIZE_HPP

#include <cstdint>
#include <vector>

namespace gen::data {

/// Brings planes of pixels to another size: bilinear where they grow, averages where they shrink
/// (PyTorch's interpolate with antialias, without align_corners). Sizes are at least 1. Several
/// threads may use one.
class Resizer {
public:
  struct Size {
    int64_t height, width;
  };
  Resizer(Size from, Size to);
  /// `planes` is [count, height, width]; appends [count, height, width] of the new size.
  void operator()(const float *planes, int64_t count, std::vector<float> &result) const;

private:
  /// What a pixel is made of along an axis: pixels from `first` on, and weights that sum to 1.
  struct Taps {
    int64_t first;
    std::vector<float> weights;
  };
  static std::vector<Taps> tapsOf(int64_t from, int64_t to);

  Size from, to;
  std::vector<Taps> rows, columns;
};

} // namespace gen::data

#endif // GEN_RESIZE_HPP
