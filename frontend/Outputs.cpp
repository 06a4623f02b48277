//===- Outputs.cpp - pictures and texts of a trained model ----------------===//

#include "gen/outputs.hpp"
#include "gen/files.hpp"
#include "gen/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gen {

static GridOptions gridOptions(const data::ImageOptions &options) {
  GridOptions grid;
  grid.black = static_cast<float>(options.low);
  grid.white = static_cast<float>(options.high);
  return grid;
}

/// How a batch of images is laid out.
static GridShape shapeOf(const View &images) {
  if (images.shape().size() == 4)
    return {images.dimension(0), images.dimension(2), images.dimension(3), images.dimension(1),
            true};
  int64_t side = std::lround(std::sqrt(images.dimension(1)));
  return {images.dimension(0), side, side};
}

/// FILE.png: the images that an entry returns.
static Output gridOf(const std::string &entry, const std::string &file,
                     const data::ImageOptions &options) {
  return [=](const OutputContext &context) {
    Results results = context.session.call(entry);
    View images = results["x"];
    writeGrid(context.folder + "/" + file + ".png", images.data<float>(), shapeOf(images),
              gridOptions(options));
  };
}

Output imageSamples(const data::ImageOptions &options) {
  return gridOf("sample", "samples", options);
}

Output imageGrid(const std::string &entry, const data::ImageOptions &options) {
  return gridOf(entry, entry, options);
}

Samples denoise(Session &session, const SamplingCallback &callback) {
  Results noise = session.call("noise");
  Samples samples = {Array(noise["x"]), {}};
  if (noise.size() > 1)
    samples.labels = Array(noise["labels"]);
  for (Array done = Array::of(int64_t{0});;) {
    std::vector<View> arguments = {samples.images};
    if (samples.labels)
      arguments.emplace_back(*samples.labels);
    arguments.emplace_back(done);
    Results results = session.call("denoise", arguments);
    samples.images = Array(results["x"]);
    done = Array(results["done"]);
    auto left = results.scalar<int64_t>("left");
    if ((callback && !callback(samples.images, done.scalar<int64_t>(), left)) || left <= 0)
      return samples;
  }
}

Samples drawSamples(Session &session) {
  if (!session.model().hasEntry("sample"))
    return denoise(session);
  Results results = session.call("sample");
  Samples samples = {Array(results["x"]), {}};
  if (results.size() > 1)
    samples.labels = Array(results["labels"]);
  return samples;
}

bool drawsSamples(const Model &model) {
  return model.hasEntry("sample") || (model.hasEntry("noise") && model.hasEntry("denoise"));
}

Output denoisedSamples(const data::ImageOptions &options) {
  return [options](const OutputContext &context) {
    denoise(context.session, [&](const View &images, int64_t done, int64_t left) {
      writeGrid(context.folder + "/samples.png", images.data<float>(), shapeOf(images),
                gridOptions(options));
      return !context.progress || context.progress(done, left);
    });
  };
}

Output reconstructions(const data::ImageOptions &options) {
  return [options](const OutputContext &context) {
    constexpr int64_t kColumns = 8;
    int64_t count = context.test ? std::min<int64_t>(32, context.test->count()) : 0;
    count -= count % kColumns;
    if (count == 0)
      return;
    size_t feature = context.test->find("images");
    int64_t pixels = context.test->features()[feature].size();
    std::vector<float> images = context.test->batch(0, count).features[feature].reals;
    View again = context.session.call("reconstruct", {View(images.data(), {count, pixels})})["x"];
    std::vector<float> rows;
    for (int64_t first = 0; first < count; first += kColumns)
      for (const float *source : {static_cast<const float *>(images.data()), again.data<float>()})
        rows.insert(rows.end(), source + first * pixels, source + (first + kColumns) * pixels);
    GridOptions grid = gridOptions(options);
    grid.columns = kColumns;
    GridShape shape = shapeOf(again);
    shape.count = 2 * count;
    writeGrid(context.folder + "/reconstructions.png", rows.data(), shape, grid);
  };
}

/// The places of the prompt's characters in the alphabet.
static std::vector<int64_t> numbersOf(const std::string &prompt, const std::u32string &alphabet) {
  std::vector<int64_t> numbers;
  for (char32_t c : data::charactersOf("prompt", prompt)) {
    size_t place = alphabet.find(c);
    if (place == std::u32string::npos)
      throw std::runtime_error(
          fmt::format("prompt: expected characters of the text the model was trained on, got '{}'",
                      data::utf8Of(std::u32string(1, c))));
    numbers.push_back(static_cast<int64_t>(place));
  }
  return numbers;
}

static std::string writeText(Session &session, const SampleOptions &options) {
  std::u32string alphabet = data::charactersOf("alphabet", session.metadata("alphabet"));
  if (alphabet.empty())
    throw std::runtime_error("the weights' metadata have no 'alphabet'; hint: use weights that "
                             "`gen-zoo train` wrote");
  auto window = static_cast<size_t>(session.model().entry("generate").inputs.at(0).shape.at(0));
  std::string prompt = options.prompt.empty() && alphabet.find(U'\n') != std::u32string::npos
                           ? "\n"
                           : options.prompt;
  std::vector<int64_t> text = numbersOf(prompt, alphabet);
  if (text.empty())
    text.push_back(0);
  size_t wanted = text.size() + static_cast<size_t>(options.length);
  while (text.size() < wanted) {
    size_t given = std::min(text.size(), text.size() < window ? window : window / 2);
    std::vector<int64_t> part(text.end() - static_cast<ptrdiff_t>(given), text.end());
    part.resize(window);
    View written = session.call("generate", {View(part.data(), {static_cast<int64_t>(window)}),
                                             Array::of(static_cast<int64_t>(given)),
                                             Array::of(static_cast<float>(options.temperature)),
                                             Array::of(options.topK),
                                             Array::of(static_cast<float>(options.topP))})["text"];
    const auto *from = written.data<int64_t>();
    text.insert(text.end(), from + given, from + window);
  }
  text.resize(wanted);
  std::u32string characters;
  for (int64_t number : text)
    characters += alphabet.at(static_cast<size_t>(number));
  return data::utf8Of(characters);
}

Output textSamples() {
  return [](const OutputContext &context) {
    writeFileAtomically(context.folder + "/samples.txt",
                        writeText(context.session, context.options) + "\n");
  };
}

} // namespace gen
