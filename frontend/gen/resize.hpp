// Pictures in other sizes.
#ifndef GEN_RESIZE_HPP
#define GEN_RESIZE_HPP

#include "gen/data.hpp"

namespace gen::data {

/// Planes of pixels, [count, height, width].
struct PlaneShape {
  int64_t count, height, width;
};

/// Planes in another size, [count, height, width]: bilinear where they grow, averages where they
/// shrink (PyTorch's interpolate with antialias, without align_corners). Sizes are at least 1.
std::vector<float> resized(const float *planes, const PlaneShape &shape, int64_t height,
                           int64_t width);
/// Images in another size.
Images resized(const Images &images, int64_t height, int64_t width);

} // namespace gen::data

#endif // GEN_RESIZE_HPP
