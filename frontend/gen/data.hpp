// Image data: IDX files as MNIST and Fashion-MNIST are published, and batches of them for training.
#ifndef GEN_DATA_HPP
#define GEN_DATA_HPP

#include <array>
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

/// The set that needs no files: handwriting-like digits (see gen/digits.hpp), 28x28, with labels.
Dataset drawnDigits(int64_t trainCount = 20000, int64_t testCount = 2000, uint64_t seed = 0);

/// What pixels become: black is the first number and white is the second.
enum class PixelRange { ZeroToOne, MinusOneToOne };

struct LoaderOptions {
  int64_t batch = 128;
  uint64_t seed = 0;
  bool shuffle = true;
  PixelRange range = PixelRange::ZeroToOne;
};

/// A batch: `images` is f32 [batch, height * width * channels].
struct Batch {
  std::vector<float> images;
  std::vector<int32_t> labels; ///< empty if the set has none
};

/// Deals a set out in batches, epoch after epoch, without end. Each epoch shows every image at most
/// once, in an order of its own that depends on nothing but the seed and the epoch; the images that
/// do not fill a last batch wait for another epoch. The state is one number, the count of batches
/// dealt, so a resumed run goes on exactly where it stopped. Not for use from several threads at
/// once.
class Loader {
public:
  /// Keeps a reference to `images`, which must outlive the loader.
  /// Throws std::runtime_error if there are fewer images than a batch has.
  Loader(const Images &images, const LoaderOptions &options);

  /// The next batch; valid until the next call.
  const Batch &next();

  /// Batches dealt so far.
  int64_t position() const { return step; }
  /// Goes to where position() was `position`.
  void seek(int64_t position);

  int64_t batchesPerEpoch() const { return images.count / options.batch; }
  /// Epochs completed.
  int64_t epoch() const { return step / batchesPerEpoch(); }

private:
  void orderEpoch(int64_t epoch);

  const Images &images;
  LoaderOptions options;
  Batch batch;
  int64_t step = 0, orderedEpoch = -1;
  std::vector<uint32_t> order;
  std::array<float, 256> values; ///< of each byte
};

} // namespace gen::data

#endif // GEN_DATA_HPP
