//===- Judging.cpp - generated images before a classifier -----------------===//

#include "gen/judging.hpp"
#include "gen/frechet.hpp"
#include "gen/outputs.hpp"
#include "gen/resize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gen {

Judge::Judge(Session &session) : session(session) {
  if (!session.model().hasEntry("judge"))
    throw std::runtime_error("the judge has no entry 'judge'; hint: use weights of lenet");
  EntrySpec entry = session.model().entry("judge");
  height = entry.inputs.at(0).shape.at(2);
  imageWidth = entry.inputs.at(0).shape.at(3);
  for (const TensorSpec &result : entry.results)
    if (result.name == "features")
      width = result.shape.at(1);
}

/// Brightness from 0 to 1, [count, height, width], of images with these values.
static std::vector<float> greyOf(const View &images, int64_t channels,
                                 const data::ImageOptions &range) {
  const std::vector<double> weights =
      channels == 3
          ? std::vector<double>{0.299, 0.587, 0.114} // ITU-R BT.601
          : std::vector<double>(static_cast<size_t>(channels), 1 / static_cast<double>(channels));
  const int64_t count = images.dimension(0);
  const int64_t area = images.size() / (count * channels);
  std::vector<float> grey(static_cast<size_t>(count * area));
  const auto *from = images.data<float>();
  for (int64_t image = 0; image < count; ++image)
    for (int64_t pixel = 0; pixel < area; ++pixel) {
      double sum = 0;
      for (int64_t channel = 0; channel < channels; ++channel) {
        double value = from[(image * channels + channel) * area + pixel];
        sum +=
            weights[channel] * std::clamp((value - range.low) / (range.high - range.low), 0.0, 1.0);
      }
      grey[image * area + pixel] = static_cast<float>(sum);
    }
  return grey;
}

Judge::Opinion Judge::judge(const View &images, const data::ImageOptions &range) {
  const int64_t count = images.dimension(0);
  const bool isRow = images.rank() == 2;
  const int64_t side = isRow ? std::lround(std::sqrt(images.dimension(1))) : 0;
  const data::Resizer::Size size =
      isRow ? data::Resizer::Size{side, side}
            : data::Resizer::Size{images.dimension(2), images.dimension(3)};
  std::vector<float> grey = greyOf(images, isRow ? 1 : images.dimension(1), range), pixels;
  data::Resizer(size, {height, imageWidth})(grey.data(), count, pixels);
  Results results = session.call("judge", {View(pixels.data(), {count, 1, height, imageWidth})});
  const auto *features = results["features"].data<float>();
  const auto *classes = results["classes"].data<int64_t>();
  return {{features, features + count * width}, {classes, classes + count}};
}

/// How many of two sequences are equal, place by place.
static int64_t matches(const std::vector<int64_t> &classes, const int64_t *labels) {
  int64_t equal = 0;
  for (int64_t each : classes)
    equal += each == *labels++ ? 1 : 0;
  return equal;
}

namespace {
/// What the judge says of a set of images.
struct Verdict {
  explicit Verdict(int64_t width) : moments(width) {}

  /// The first `count` of the opinion; `labels` may be null.
  void add(Judge::Opinion opinion, int64_t count, const int64_t *labels) {
    for (int64_t i = 0; i < count; ++i)
      moments.add(opinion.features.data() + i * moments.size());
    opinion.classes.resize(static_cast<size_t>(count));
    hasLabels = labels != nullptr;
    right += labels ? matches(opinion.classes, labels) : 0;
  }
  double share() const { return static_cast<double>(right) / static_cast<double>(moments.count()); }

  Moments moments;
  bool hasLabels = false;
  int64_t right = 0; ///< images that are taken for what their labels say
};
} // namespace

static Verdict ofTestImages(const data::Source &test, const data::ImageOptions &range,
                            Judge &judge) {
  constexpr int64_t kBatch = 500;
  const std::vector<data::Feature> &features = test.features();
  size_t images = test.find("images");
  auto labels = std::find_if(features.begin(), features.end(),
                             [](const data::Feature &each) { return each.name == "labels"; });
  Verdict verdict(judge.featureCount());
  for (int64_t first = 0; first < test.count(); first += kBatch) {
    data::Batch batch = test.batch(first, std::min(kBatch, test.count() - first));
    std::vector<int64_t> shape = features[images].shape;
    shape.insert(shape.begin(), batch.size);
    verdict.add(judge.judge(View(batch.features[images].reals.data(), shape), range), batch.size,
                labels == features.end()
                    ? nullptr
                    : batch.features[labels - features.begin()].integers.data());
  }
  return verdict;
}

static Verdict ofSamples(Session &session, const data::ImageOptions &range, Judge &judge,
                         int64_t count) {
  Verdict verdict(judge.featureCount());
  while (verdict.moments.count() < count) {
    Samples samples = drawSamples(session);
    verdict.add(judge.judge(samples.images, range),
                std::min(samples.images.dimension(0), count - verdict.moments.count()),
                samples.labels ? samples.labels->data<int64_t>() : nullptr);
  }
  return verdict;
}

Figures judgeSamples(Session &session, const Recipe &recipe, Judge &judge, const data::Source &test,
                     int64_t count) {
  if (!recipe.images || !drawsSamples(session.model()))
    throw std::runtime_error("only models that draw images can be judged");
  Verdict samples = ofSamples(session, *recipe.images, judge, count),
          real = ofTestImages(test, *recipe.images, judge);
  Figures figures = {{"frechet_distance", frechetDistance(samples.moments, real.moments)}};
  if (samples.hasLabels)
    figures.emplace_back("as_asked", samples.share());
  if (real.hasLabels)
    figures.emplace_back("judge_accuracy", real.share());
  return figures;
}

} // namespace gen
