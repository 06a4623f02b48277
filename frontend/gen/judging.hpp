//===- gen/judging.hpp - generated images before a classifier ---*- C++ -*-===//
//
// How good images are that a model draws, in the eyes of a classifier of real ones: the Fréchet
// distance of its features of samples and of test images (Heusel et al. 2017, there with features
// of Inception), and how many samples it takes for what was asked for.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_JUDGING_HPP
#define GEN_JUDGING_HPP

#include "gen/recipe.hpp"

namespace gen {

/// A trained classifier with an entry
///
///   judge   images  f32 [batch, 1, height, width], from 0, black, to 1
///           -> features  f32 [batch, width];  classes  i64 [batch]
///
/// Images of other sizes are resized, and coloured ones made grey. Keeps a reference.
class Judge {
public:
  /// Throws std::runtime_error if there is no such entry.
  explicit Judge(Session &session);

  struct Opinion {
    std::vector<float> features; ///< [count, featureCount()]
    std::vector<int64_t> classes;
  };
  /// Of images with these values of black and white.
  Opinion judge(const View &images, const data::ImageOptions &range);
  int64_t featureCount() const { return width; }

private:
  Session &session;
  int64_t height = 0, imageWidth = 0, width = 0;
};

/// Draws `count` samples (at least 2) by the entry `sample`, and compares them with all images of
/// `test`. Figures: `frechet_distance`; `as_asked`, the part of samples that the judge takes for
/// the class they were to be, where `sample` tells these; and `judge_accuracy`, the part of test
/// images it tells right, where these have labels.
/// Throws std::runtime_error where model, recipe and data do not fit together.
Figures judgeSamples(Session &session, const Recipe &recipe, Judge &judge, const data::Source &test,
                     int64_t count);

} // namespace gen

#endif // GEN_JUDGING_HPP
