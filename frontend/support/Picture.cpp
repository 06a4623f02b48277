// Grids of images as PNG, through libpng's simplified interface.
#include "gen/picture.hpp"
#include "gen/files.hpp"

#include <cmath>
#include <fmt/format.h>
#include <png.h>
#include <stdexcept>
#include <vector>

namespace gen {
namespace {

constexpr int64_t maxSide = 1 << 16; // of a PNG, far beyond what anyone looks at

uint8_t toByte(float value, const GridOptions &options) {
  float unit = (value - options.black) / (options.white - options.black);
  return unit > 0.0F ? static_cast<uint8_t>(std::lround(std::fmin(unit, 1.0F) * 255.0F)) : 0;
}

// A canvas of the grid's size and the arithmetic of where an image lies on it.
struct Canvas {
  const GridShape &shape;
  const GridOptions &options;
  int64_t columns, rows, height, width;
  std::vector<uint8_t> pixels;

  Canvas(const GridShape &shape, const GridOptions &options) : shape(shape), options(options) {
    columns = options.columns > 0
                  ? options.columns
                  : static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(shape.count))));
    columns = std::min(columns, shape.count);
    rows = (shape.count + columns - 1) / columns;
    height = rows * (shape.height * options.scale + options.padding) + options.padding;
    width = columns * (shape.width * options.scale + options.padding) + options.padding;
    if (height > maxSide || width > maxSide)
      throw std::runtime_error(
          fmt::format("a grid of {} images of {}x{} would have {}x{} pixels, more than {} a side",
                      shape.count, shape.height, shape.width, height, width, maxSide));
    pixels.assign(static_cast<size_t>(height * width * shape.channels),
                  96); // grey between the images
  }

  void paint(int64_t image, const float *values) {
    int64_t top =
        image / columns * (shape.height * options.scale + options.padding) + options.padding;
    int64_t left =
        image % columns * (shape.width * options.scale + options.padding) + options.padding;
    int64_t channelStride = shape.channelsFirst ? shape.height * shape.width : 1;
    int64_t pixelStride = shape.channelsFirst ? 1 : shape.channels;
    for (int64_t y = 0; y < shape.height * options.scale; ++y)
      for (int64_t x = 0; x < shape.width * options.scale; ++x) {
        int64_t from = (y / options.scale * shape.width + x / options.scale) * pixelStride;
        uint8_t *to = &pixels[((top + y) * width + left + x) * shape.channels];
        for (int64_t c = 0; c < shape.channels; ++c)
          to[c] = toByte(values[from + c * channelStride], options);
      }
  }
};

} // namespace

void writePng(const std::string &path, const uint8_t *pixels, int64_t height, int64_t width,
              int64_t channels) {
  if (height < 1 || width < 1 || height > maxSide || width > maxSide ||
      (channels != 1 && channels != 3))
    throw std::runtime_error(
        fmt::format("{}: expected a picture of 1 to {} pixels a side and 1 or 3 channels, got "
                    "{}x{} with {}",
                    path, maxSide, height, width, channels));
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (!png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels, 0, nullptr))
    throw std::runtime_error(fmt::format("{}: cannot encode the picture: {}", path, image.message));
  bytes.resize(size);
  writeFileAtomically(path, bytes);
}

void writeGrid(const std::string &path, const float *values, const GridShape &shape,
               const GridOptions &options) {
  if (shape.count < 1 || shape.height < 1 || shape.width < 1 || shape.height > maxSide ||
      shape.width > maxSide || shape.count > maxSide * maxSide ||
      (shape.channels != 1 && shape.channels != 3))
    throw std::runtime_error(
        fmt::format("{}: expected images with 1 or 3 channels, got {} of {}x{} with {} channels",
                    path, shape.count, shape.height, shape.width, shape.channels));
  if (options.scale < 1 || options.scale > 64 || options.padding < 0 || options.padding > 1024 ||
      options.black == options.white)
    throw std::runtime_error(
        fmt::format("{}: expected a scale of 1 to 64, a padding of 0 to 1024 and black unlike "
                    "white, got {}, {}, and {} and {}",
                    path, options.scale, options.padding, options.black, options.white));
  Canvas canvas(shape, options);
  for (int64_t i = 0; i < shape.count; ++i)
    canvas.paint(i, values + i * shape.height * shape.width * shape.channels);
  writePng(path, canvas.pixels.data(), canvas.height, canvas.width, shape.channels);
}

} // namespace gen
