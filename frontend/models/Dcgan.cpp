//===- Dcgan.cpp - a GAN of convolutions on 64 x 64 images ----------------===//
//
// Radford, Metz, Chintala: Unsupervised Representation Learning with Deep Convolutional Generative
// Adversarial Networks, ICLR 2016. A benchmark's model; the one entry is `main`.
//
//===----------------------------------------------------------------------===//

#include "gen/nn.hpp"
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
} // namespace

static void buildGenerator(Program &program, int64_t batch) {
  Generator generator(program.scope());
  program.entry("main", {input("z", f32, {batch, kLatent, 1, 1})},
                [&](Tensor z) { return result("x", generator(z)); });
}

void buildDcganGenerator1(Program &program, const Settings &) { buildGenerator(program, 1); }
void buildDcganGenerator32(Program &program, const Settings &) { buildGenerator(program, 32); }

} // namespace gen::zoo
