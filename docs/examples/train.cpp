// Describes a small network, compiles it in process and trains it to follow a sine: train
// OUT.safetensors
#include "gen/builder.hpp"
#include "gen/compile.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

#include <cmath>
#include <iostream>

using namespace gen; // NOLINT(google-build-using-namespace): a model reads like its paper

static Model sineModel() {
  Program program("sine");
  Mlp network(program / "network", {1, 32, 32, 1}, {.activation = Tanh()});
  Adam adam(program / "adam", {.learning_rate = 1e-2});
  Dimension batch = program.dimension("batch");
  Input x = input("x", f32, {batch, 1}), y = input("y", f32, {batch, 1});

  program.entry("train_step", {x, y}, training, [&](Tensor x, Tensor y) {
    Tensor loss = mse(network(x), y);
    adam.minimize(loss, (program / "network").variables());
    return result("loss", loss);
  });
  program.entry("predict", {x}, [&](Tensor x) { return result("y", network(x)); });
  return compile(program);
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::cerr << "usage: train WEIGHTS.safetensors\n";
    return 2;
  }
  try {
    Session session(sineModel(), {.seed = 1});
    std::vector<float> x(64), y(64);
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = static_cast<float>(i) / 32.0F - 1.0F;
      y[i] = std::sin(3.0F * x[i]);
    }
    View inputs(x.data(), {64, 1}), targets(y.data(), {64, 1});
    for (int step = 1; step <= 500; ++step) {
      float loss = session.call("train_step", {inputs, targets}).scalar<float>("loss");
      if (step % 100 == 0)
        std::cout << "step " << step << " loss " << loss << "\n";
    }
    session.save(argv[1]);
    float half = 0.5F;
    std::cout << "sin(1.5) is about "
              << session.call("predict", {View(&half, {1, 1})}).scalar<float>("y") << "\n";
  } catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
