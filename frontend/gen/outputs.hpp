//===- gen/outputs.hpp - pictures and texts of a trained model --*- C++ -*-===//

#ifndef GEN_OUTPUTS_HPP
#define GEN_OUTPUTS_HPP

#include "gen/recipe.hpp"

namespace gen {

/// samples.png: the images that the entry `sample` returns as `x`, [count, height * width] (square)
/// or [count, channels, height, width].
Output imageSamples(const data::ImageOptions &options = {});

/// ENTRY.png: the same of another entry without inputs.
Output imageGrid(const std::string &entry, const data::ImageOptions &options = {});

/// Images that a model draws.
struct Samples {
  Array images;                ///< [count, height * width] or [count, channels, height, width]
  std::optional<Array> labels; ///< i64 [count]: the classes they were to be, if it is told these
};
/// Called after each part of the work with what there is of the images, and how many steps are done
/// and left; false ends it.
using SamplingCallback = std::function<bool(const View &images, int64_t done, int64_t left)>;
/// The images of a diffusion model, step after step in compiled loops: its entry `noise` returns
/// `x` and, if the model is told classes, `labels`; `denoise`, given these and how many steps are
/// `done`, returns the next `x` and `done`, and how many are `left`. Returns what there is when the
/// callback ends it.
Samples denoise(Session &session, const SamplingCallback &callback = nullptr);
/// By the entry `sample`, which returns `x` and perhaps `labels`, or else by `denoise`.
Samples drawSamples(Session &session);
/// True if the model has the entries for that.
bool drawsSamples(const Model &model);

/// samples.png by `denoise`, with a preview after each part.
Output denoisedSamples(const data::ImageOptions &options = {});

/// reconstructions.png: rows of test images, below each what the entry `reconstruct` makes of it.
Output reconstructions(const data::ImageOptions &options = {});

/// samples.txt: a text of the entry `generate`, which goes on with the options' prompt, or with a
/// line break. The entry takes
///   prompt       i64 [length]: its first `given` characters are there, the others are ignored
///   given        i64, at least 1
///   temperature  f32;  top_k  i64;  top_p  f32
/// and returns `text`, i64 [length], the prompt and what it wrote. It is called again with the last
/// half of that until the text is as long as asked for. The weights' metadata have the `alphabet`.
Output textSamples();

/// samples.txt: translations by the entry `translate`, `source` i64 [1, length] to `target` i64
/// [length], of the lines of the prompt, or else of test examples, with the `source` and what they
/// know as `labels`. The weights' metadata have the `vocabulary`.
Output translations();

/// samples.txt: the lines of the prompt, in which underscores are hidden pieces of words, or else
/// test examples with some hidden; below each what the entry `fill` makes of it, `ids` i64 [1,
/// length] to the same. The weights' metadata have the `vocabulary`.
Output fillings();

} // namespace gen

#endif // GEN_OUTPUTS_HPP
