//===- models/classifier.hpp - networks that tell classes -------*- C++ -*-===//
//
// What classifiers of 28 x 28 images share: a network is a function from images [batch, 1, 28, 28]
// to logits [batch, classes].
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_CLASSIFIER_HPP
#define GEN_MODELS_CLASSIFIER_HPP

#include "models/zoo.hpp"

namespace gen::zoo {

using Network = std::function<Tensor(const Tensor &images)>;

/// Entries `train_step` and `evaluate` of images and labels, and `classify`, which gives
/// probabilities. `minimize` takes a step down the loss.
void addClassifier(Program &program, const Network &net,
                   const std::function<void(const Tensor &loss)> &minimize);

/// Trains on images and labels; reports accuracy and the confusion matrix.
Recipe classifierRecipe();

} // namespace gen::zoo

#endif // GEN_MODELS_CLASSIFIER_HPP
