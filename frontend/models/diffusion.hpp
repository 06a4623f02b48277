//===- models/diffusion.hpp - from noise to images --------------*- C++ -*-===//
//
// What diffusion models share, whatever network predicts: how much of image and noise there is at
// each of 1000 time steps, what is to be predicted, and the loop that draws images. Settings:
//
//   cosine    0: the noise's variance rises in a straight line (Ho, Jain, Abbeel, NeurIPS 2020);
//             1: the image's part falls as a squared cosine (Nichol, Dhariwal, ICML 2021)
//   predict_v 0: the network predicts the noise; 1: v = signal * noise - (its part) * image
//             (Salimans, Ho, ICLR 2022)
//   sample_steps, eta   of the loop: all steps and 1 are DDPM, few and 0 DDIM (Song, Meng, Ermon,
//             ICLR 2021)
//
//===----------------------------------------------------------------------===//

#ifndef GEN_MODELS_DIFFUSION_HPP
#define GEN_MODELS_DIFFUSION_HPP

#include "gen/ops.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

class Diffusion {
public:
  static constexpr int64_t kTimes = 1000;

  explicit Diffusion(const Settings &settings);

  /// What a network predicts from images x and time steps t, f32 [batch].
  using Prediction = std::function<Tensor(const Tensor &x, const Tensor &t)>;

  /// The mean squared error of what is predicted for images at random time steps.
  Tensor loss(const Tensor &x, const Prediction &predict) const;
  /// Goes on from noise to images: the next `count` steps after the first `done`, an i64 scalar.
  Tensor advance(const Tensor &x, const Tensor &done, int64_t count,
                 const Prediction &predict) const;
  /// How many there are.
  int64_t steps() const { return sampleSteps; }

private:
  struct Parts {
    Tensor signal, noise; ///< sqrt(alpha-bar), sqrt(1 - alpha-bar)
  };
  Parts at(const Tensor &t) const;

  Tensor signals, noises; ///< at each time step
  bool predictV;
  int64_t sampleSteps;
  double eta;
};

/// Settings of Diffusion and its network, with those of `more`.
Settings diffusionSettings(Settings more = {});

} // namespace gen::zoo

#endif // GEN_MODELS_DIFFUSION_HPP
