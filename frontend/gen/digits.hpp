// Handwriting-like digits drawn by the program, so that a first training run needs no data files.
#ifndef GEN_DIGITS_HPP
#define GEN_DIGITS_HPP

#include <cstdint>

namespace gen::data {

/// Height and width of a drawn digit in pixels.
inline constexpr int digitSize = 28;

/// Draws digit number `index` of the endless set `seed` into `pixels` (28 x 28, row-major, 0
/// background to 255 ink) and returns its class, 0 to 9. Equal arguments give equal pixels on every
/// machine.
///
/// A class has several ways of writing it, each a few strokes: curves through a handful of points.
/// Points move by a smooth random field and a little each for itself; then the digit is slanted,
/// turned, scaled and drawn with a pen of random width. Like MNIST's, it fills a box of about 20 x
/// 20 pixels and its centre of mass is in the middle.
uint8_t drawDigit(uint64_t seed, int64_t index, uint8_t *pixels);

} // namespace gen::data

#endif // GEN_DIGITS_HPP
