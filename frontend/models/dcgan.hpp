//===- models/dcgan.hpp - networks of convolutions for 64 x 64 --*- C++ -*-===//
//
// Generator and discriminator of Radford, Metz, Chintala: Unsupervised Representation Learning with
// Deep Convolutional Generative Adversarial Networks, ICLR 2016.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_DCGAN_HPP
#define GEN_MODELS_DCGAN_HPP

#include "gen/nn.hpp"

#include <optional>

namespace gen::zoo {

inline constexpr int64_t kDcganLatent = 100, kDcganSize = 64;
inline const Initializer kDcganInitial = Initializer::normal(0, 0.02);

/// Noise [batch, 100, 1, 1] to images [batch, channels, 64, 64] in [-1, 1].
class DcganGenerator : public Sequential {
public:
  DcganGenerator(const Scope &scope, int64_t channels, int64_t features) : Sequential(scope) {
    add(ConvTranspose2d(next(), kDcganLatent, features * 8, 4,
                        {.bias = false, .initial = kDcganInitial}));
    int64_t inputs = features * 8;
    for (int64_t outputs : {features * 4, features * 2, features, channels}) {
      add(BatchNorm2d(next(), inputs)).add(ReLU());
      add(ConvTranspose2d(next(), inputs, outputs, 4,
                          {.stride = 2, .padding = 1, .bias = false, .initial = kDcganInitial}));
      inputs = outputs;
    }
    add(Tanh());
  }
};

/// Images [batch, channels, size, size] to logits [batch, 1] of "this is a real image".
class DcganDiscriminator {
public:
  DcganDiscriminator(const Scope &scope, int64_t channels, int64_t features,
                     int64_t size = kDcganSize)
      : body(scope) {
    int64_t inputs = channels;
    for (int64_t outputs = features; size > 4; inputs = outputs, outputs *= 2, size /= 2) {
      body.add(Conv2d(body.next(), inputs, outputs, 4,
                      {.stride = 2, .padding = 1, .bias = false, .initial = kDcganInitial}));
      if (outputs != features)
        body.add(BatchNorm2d(body.next(), outputs));
      body.add(LeakyReLU(0.2));
    }
    last.emplace(body.next(), inputs, 1, 4,
                 ConvLayerOptions{.bias = false, .initial = kDcganInitial});
  }
  /// What the last layer sees.
  Tensor features(const Tensor &images) const { return body(images); }
  Tensor logits(const Tensor &features) const { return flatten((*last)(features)); }
  Tensor operator()(const Tensor &images) const { return logits(features(images)); }

private:
  Sequential body;
  std::optional<Conv2d> last;
};

} // namespace gen::zoo

#endif // GEN_MODELS_DCGAN_HPP
