// Pictures as PNG files: grids of samples as arrays of numbers.
#ifndef GEN_PICTURE_HPP
#define GEN_PICTURE_HPP

#include <cstdint>
#include <string>

namespace gen {

/// What an array of images looks like. Dense and row-major.
struct GridShape {
  int64_t count, height, width, channels = 1; ///< channels: 1 (grey) or 3 (red, green, blue)
  bool channelsFirst = false; ///< [count, channels, height, width], else channels last
};

struct GridOptions {
  int64_t columns = 0; ///< images a row; 0: as square as it goes
  int64_t padding = 2; ///< pixels between images and around them
  int64_t scale = 2;   ///< each value becomes scale x scale pixels
  float black = 0.0F;  ///< the value shown as black; -1 for tanh's range
  float white = 1.0F;  ///< the value shown as white; values outside are clamped, NaN is black
};

/// Writes images side by side into one PNG file, row by row from the top left. The file is replaced
/// atomically. Throws std::runtime_error for a shape that makes no picture or a file that cannot be
/// written.
void writeGrid(const std::string &path, const float *values, const GridShape &shape,
               const GridOptions &options = {});

/// Writes one picture of bytes [height, width, channels] as PNG. Throws as writeGrid.
void writePng(const std::string &path, const uint8_t *pixels, int64_t height, int64_t width,
              int64_t channels);

} // namespace gen

#endif // GEN_PICTURE_HPP
