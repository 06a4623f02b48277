//===- Dcgan.cpp - a GAN of convolutions on 64 x 64 images ----------------===//
//
// Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative
// Adversarial Networks, ICLR 2016. A benchmark's model; the one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "models/zoo.hpp"

namespace gen::zoo {

namespace {
constexpr int64_t kLatent = 100, kFeatures = 64;
const Initializer kInitial = Initializer::normal(0, 0.02);

/// Noise [batch, 100, 1, 1] to images [batch, 3, 64, 64] in [-1, 1].
class Generator : public Sequential {
public:
  explicit Generator(const Scope &scope) : Sequential(scope) {
    int64_t inputs = kLatent;
    for (int64_t outputs : {kFeatures * 8, kFeatures * 4, kFeatures * 2, kFeatures, int64_t{3}}) {
      bool isFirst = inputs == kLatent, isLast = outputs == 3;
      add(ConvTranspose2d(next(), inputs, outputs, 4,
                          {.stride = isFirst ? 1 : 2,
                           .padding = isFirst ? 0 : 1,
                           .bias = false,
                           .initial = kInitial}));
      if (!isLast)
        add(BatchNorm2d(next(), outputs)).add(ReLU());
      inputs = outputs;
    }
    add(Tanh());
  }
};

/// Images to logits [batch, 1] of "this is a real image".
class Discriminator : public Sequential {
public:
  explicit Discriminator(const Scope &scope) : Sequential(scope) {
    int64_t inputs = 3;
    for (int64_t outputs : {kFeatures, kFeatures * 2, kFeatures * 4, kFeatures * 8}) {
      add(Conv2d(next(), inputs, outputs, 4,
                 {.stride = 2, .padding = 1, .bias = false, .initial = kInitial}));
      if (inputs != 3)
        add(BatchNorm2d(next(), outputs));
      add(LeakyReLU(0.2));
      inputs = outputs;
    }
    add(Conv2d(next(), inputs, 1, 4, {.bias = false, .initial = kInitial}));
    add([](const Tensor &x, SourceLocation where) { return flatten(x, 1, where); });
  }
};
} // namespace

static void buildGenerator(Program &program, int64_t batch) {
  Generator generator(program.scope());
  program.entry("main", {input("z", f32, {batch, kLatent, 1, 1})},
                [&](Tensor z) { return result("x", generator(z)); });
}

void buildDcganGenerator1(Program &program, const Settings &) { buildGenerator(program, 1); }
void buildDcganGenerator32(Program &program, const Settings &) { buildGenerator(program, 32); }

/// The discriminator's step, then the generator's against the changed discriminator.
void buildTrainDcgan(Program &program, const Settings &) {
  constexpr int64_t kBatch = 32;
  constexpr AdamOptions kAdam = {.learning_rate = 2e-4, .beta1 = 0.5};
  Generator generator(program / "g");
  Discriminator discriminator(program / "d");
  Adam adamG(program / "adam_g", kAdam), adamD(program / "adam_d", kAdam);
  std::vector<Input> inputs = {input("real", f32, {kBatch, 3, 64, 64}),
                               input("z", f32, {kBatch, kLatent, 1, 1})};
  program.entry("main", inputs, training, [&](Tensor real, Tensor z) {
    Tensor fake = generator(z);
    Tensor dLoss = mean(bce_with_logits(discriminator(real), 1.0)) +
                   mean(bce_with_logits(discriminator(stop_gradient(fake)), 0.0));
    adamD.minimize(dLoss, (program / "d").parameters());
    Tensor gLoss = mean(bce_with_logits(discriminator(fake), 1.0));
    adamG.minimize(gLoss, (program / "g").parameters());
    return result("d_loss", dLoss).result("g_loss", gLoss);
  });
}

} // namespace gen::zoo
