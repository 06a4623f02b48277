// Examples of any kind in batches for training: where they come from, and the loader that deals
// them out.
#ifndef GEN_LOADER_HPP
#define GEN_LOADER_HPP

#include "gen/data.hpp"
#include "gen/resize.hpp"

#include <future>
#include <map>
#include <memory>
#include <optional>

namespace gen::data {

/// Numbers that every example has: an image, its label, the characters of a text.
struct Feature {
  std::string name;
  std::vector<int64_t> shape; ///< of one example
  bool integer = false;       ///< i64, else f32

  int64_t size() const;
  /// "f32[1, 28, 28]".
  std::string describe() const;
};

/// The values of a feature in a batch: the examples' one after the other, in one of the two.
struct Values {
  std::vector<float> reals;
  std::vector<int64_t> integers;
};

struct Batch {
  int64_t size = 0;             ///< examples
  std::vector<Values> features; ///< in the order of Source::features()
};

/// Examples by number. Reading does not change a source: several threads may.
class Source {
public:
  virtual ~Source() = default;
  virtual const std::vector<Feature> &features() const = 0;
  virtual int64_t count() const = 0;
  /// Appends an example's values to those of the batch.
  virtual void read(int64_t example, Batch &batch) const = 0;

  /// The number of a feature. Throws std::runtime_error, which tells those there are.
  size_t find(const std::string &feature) const;
  /// Examples `first` to `first + count`.
  Batch batch(int64_t first, int64_t count) const;
};

/// `images`, f32 [channels, height, width], and `labels`, i64, where they are known.
class ImageSource : public Source {
public:
  /// `low` and `high` are what black and white become; `size`, if not 0, is the height and width
  /// that images are resized to.
  ImageSource(Images images, double low, double high, int64_t size = 0);
  const std::vector<Feature> &features() const override { return list; }
  int64_t count() const override { return images.count; }
  void read(int64_t example, Batch &batch) const override;

private:
  Images images;
  std::vector<float> values; ///< of each byte
  std::optional<Resizer> resizer;
  std::vector<Feature> list;
};

/// Windows of a text: `ids`, i64 [length], and `targets`, the characters that follow each.
class TextSource : public Source {
public:
  /// A window begins at every `stride`th character of [begin, end).
  TextSource(std::shared_ptr<const Text> text, int64_t begin, int64_t end, int64_t length,
             int64_t stride);
  const std::vector<Feature> &features() const override { return list; }
  int64_t count() const override { return windows; }
  void read(int64_t example, Batch &batch) const override;

private:
  std::shared_ptr<const Text> text;
  int64_t begin, length, stride, windows;
  std::vector<Feature> list;
};

/// Texts that are kept with the weights, by name.
using Metadata = std::map<std::string, std::string>;

/// What a run trains on and is tested with.
struct TrainingData {
  std::string name;
  std::shared_ptr<const Source> train, test; ///< `test` is null where there is none
  /// Settings of a model that follow from the data: `classes` of images, `vocabulary` of a text.
  std::map<std::string, double> facts;
  /// Kept with the weights, and the same when a run is resumed: the `alphabet` of a text.
  Metadata metadata;
};

struct ImageOptions {
  double low = 0, high = 1; ///< values of black and white
  int64_t size = 0;         ///< height and width they are resized to; 0: as they are
};
/// The images of a folder (readFolder) or a file (readImageFile), or the drawn digits where the
/// path is "". Facts: `classes`, where there are labels, and `image_channels`.
TrainingData imageData(const std::string &path, const ImageOptions &options = {});

struct TextOptions {
  int64_t length = 64; ///< characters of a window
  int64_t stride = 1;  ///< of the training windows
};
/// A file (readText), or the told tales where it is "". The last tenth is the test part, in windows
/// that do not overlap.
TrainingData textData(const std::string &path, const TextOptions &options = {});

enum class Order {
  Shuffled, ///< every epoch in an order of its own
  Streams   ///< row r of a batch goes on where row r of the last batch ended
};

struct LoaderOptions {
  int64_t batch = 128;
  uint64_t seed = 0;
  Order order = Order::Shuffled;
};

/// Deals a source out in batches, epoch after epoch, without end; the next batch is made by a
/// thread while the last is used. Each epoch shows every example at most once, in an order of its
/// own that depends on nothing but the seed and the epoch; the examples that do not fill a last
/// batch wait for another epoch. The state is one number, the count of batches dealt, so a resumed
/// run goes on exactly where it stopped. Not for use from several threads at once.
class Loader {
public:
  /// Throws std::runtime_error if there are fewer examples than a batch has.
  Loader(std::shared_ptr<const Source> source, const LoaderOptions &options);
  Loader(const Loader &) = delete;
  Loader &operator=(const Loader &) = delete;

  /// The next batch; valid until the next call.
  const Batch &next();

  /// Batches dealt so far.
  int64_t position() const { return step; }
  /// Goes to where position() was `position`.
  void seek(int64_t position);

  int64_t batchesPerEpoch() const { return source->count() / options.batch; }
  /// Epochs completed.
  int64_t epoch() const { return step / batchesPerEpoch(); }

private:
  Batch make(int64_t number);
  void orderEpoch(int64_t epoch);

  const std::shared_ptr<const Source> source;
  const LoaderOptions options;
  Batch batch;
  int64_t step = 0, orderedEpoch = -1;
  std::vector<uint32_t> order;
  std::future<Batch> coming; ///< batch number `step`; the last member: it is waited for first
};

} // namespace gen::data

#endif // GEN_LOADER_HPP
