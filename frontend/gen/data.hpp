// Data as they come: images in IDX files as MNIST and Fashion-MNIST are published, texts, and what
// the program draws and tells itself.
#ifndef GEN_DATA_HPP
#define GEN_DATA_HPP

#include <cstdint>
#include <string>
#include <vector>

namespace gen::data {

/// An array of unsigned bytes, dense and row-major. Rank 0 is one element.
struct ByteArray {
  std::vector<int64_t> shape;
  std::vector<uint8_t> values;
};

/// Reads an IDX file of unsigned bytes and any rank, plain or compressed by gzip.
/// Source of the format: yann.lecun.com/exdb/mnist, "the IDX file format".
///
/// The file may be hostile: the sizes in its header are believed only as far as the bytes are
/// there, and never beyond `maxBytes`. Throws std::runtime_error with the path, what was expected
/// and what was found.
ByteArray readIdx(const std::string &path, int64_t maxBytes = int64_t{1} << 32);

/// Pictures of one size, and their classes where they are known.
struct Images {
  int64_t count = 0, height = 0, width = 0, channels = 1;
  std::vector<uint8_t> pixels; ///< [count, height, width, channels], 0 black to 255 white
  std::vector<uint8_t> labels; ///< [count], or empty

  int64_t pixelsPerImage() const { return height * width * channels; }
};

/// A set as training needs it.
struct Dataset {
  std::string name;
  Images train, test;
};

/// Reads a folder with `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` and their
/// `...-labels-idx1-ubyte`, each plain or as `.gz`. Labels may be missing. A folder with only the
/// t10k files is split: its last tenth is the test part. Throws std::runtime_error.
Dataset readFolder(const std::string &folder);

/// Reads one IDX file of images [count, height, width] or [count, height, width, channels], plain
/// or compressed by gzip, without labels; the last tenth is the test part. Throws
/// std::runtime_error.
Dataset readImageFile(const std::string &path);

/// The set that needs no files: handwriting-like digits (see gen/digits.hpp), 28x28, with labels.
Dataset drawnDigits(int64_t trainCount = 20000, int64_t testCount = 2000, uint64_t seed = 0);

/// A text as numbers: each is the place of a character in the alphabet.
struct Text {
  std::string name;
  std::u32string alphabet; ///< the characters that occur, in the order of Unicode
  std::vector<int32_t> characters;
};

/// Reads UTF-8. Throws std::runtime_error with the path, and the byte where it is no UTF-8.
std::string readUtf8(const std::string &path);
/// The same as numbers.
Text readText(const std::string &path);
/// Numbers of a text. Throws std::runtime_error where it is no UTF-8.
Text textOf(const std::string &name, const std::string &utf8);
/// A text as UTF-8, given the alphabet.
std::string utf8Of(const std::u32string &characters);
/// The characters of UTF-8; throws std::runtime_error, which names `source` and the byte.
std::u32string charactersOf(const std::string &source, const std::string &utf8);

/// The text that needs no file: short tales of a village, told by a small grammar (own words).
/// Equal arguments give equal texts on every machine.
std::string toldTales(int64_t sentences = 12000, uint64_t seed = 0);

} // namespace gen::data

#endif // GEN_DATA_HPP
