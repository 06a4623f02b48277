//===- ConvVae.cpp - a variational autoencoder of convolutions ------------===//
//
// As the fully connected one (Vae.cpp), but the encoder halves the image twice by convolutions,
// and the decoder doubles it twice by transposed ones.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
#include "models/vae.hpp"

namespace gen::zoo {

namespace {
struct ConvVae {
  int64_t width;
  Conv2d c1, c2;
  Linear mean, log_variance, fc;
  ConvTranspose2d t1, t2;

  ConvVae(const Scope &s, int64_t width, int64_t latent)
      : width(width), c1(s / "c1", 1, width, 4, {.stride = 2, .padding = 1}),
        c2(s / "c2", width, 2 * width, 4, {.stride = 2, .padding = 1}),
        mean(s / "mean", 2 * width * 49, latent),
        log_variance(s / "log_variance", 2 * width * 49, latent),
        fc(s / "fc", latent, 2 * width * 49),
        t1(s / "t1", 2 * width, width, 4, {.stride = 2, .padding = 1}),
        t2(s / "t2", width, 1, 4, {.stride = 2, .padding = 1}) {}

  Latent encode(const Tensor &x) const {
    Tensor h = relu(c1(reshape(x, {x.dimension(0), 1, 28, 28})));
    h = flatten(relu(c2(h)));
    return {mean(h), log_variance(h)};
  }
  Tensor decode(const Tensor &z) const { // logits
    Tensor h = reshape(relu(fc(z)), {z.dimension(0), 2 * width, 7, 7});
    return flatten(t2(relu(t1(h))));
  }
};
} // namespace

static void buildConvVae(Program &program, const Settings &settings) {
  Scope scope = program / "vae";
  ConvVae vae(scope, sizeOf(settings, "width"), sizeOf(settings, "latent"));
  addVae(program, scope, settings,
         {[&](const Tensor &x) { return vae.encode(x); },
          [&](const Tensor &z) { return vae.decode(z); }});
}

ModelInfo convVae() {
  return {"conv_vae", "variational autoencoder of convolutions", vaeSettings({{"width", 32}}),
          buildConvVae, vaeRecipe()};
}

} // namespace gen::zoo
