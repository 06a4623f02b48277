// Optimizers, losses and whole training runs against PyTorch's numbers (frontend-oracle.py), on the
// reference interpreter and compiled.
#include "frontend-oracle.inc"

#include "dialect/Gen.h"
#include "dialect/Interpreter.h"
#include "gen/compile.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"
#include "passes/Compiler.h"
#include "passes/Passes.h"

#include "mlir/Parser/Parser.h"

#include <gmock/gmock.h>

namespace {

using namespace gen;

// Numbers in [0, 1) by number of the array and position of the element, as frontend-oracle.py has
// them.
std::vector<float> uniformNumbers(uint32_t number, int64_t count) {
  std::vector<float> numbers;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = static_cast<uint32_t>(i) * 2654435761U + number * 2246822519U;
    x = (x ^ (x >> 15)) * 2246822519U;
    x = (x ^ (x >> 13)) * 3266489917U;
    x ^= x >> 16;
    numbers.push_back(static_cast<float>((x >> 8) * 0x1p-24));
  }
  return numbers;
}

std::vector<float> signedNumbers(uint32_t number, int64_t count, double bound = 1.0) {
  std::vector<float> numbers;
  for (float u : uniformNumbers(number, count))
    numbers.push_back(static_cast<float>((2.0 * u - 1.0) * bound));
  return numbers;
}

// A tensor known when building.
Tensor known(const std::vector<float> &values, const Shape &shape) {
  return constant({values.begin(), values.end()}, shape);
}

// A program on the reference interpreter, after differentiation.
class Interpreted {
public:
  explicit Interpreted(const Program &program) {
    mlir::DialectRegistry registry;
    mlir::gen::registerCompilerDialects(registry);
    context.appendDialectRegistry(registry);
    module = mlir::parseSourceString<mlir::ModuleOp>(program.str(), &context);
    mlir::PassManager passes(&context);
    passes.addPass(mlir::gen::createDifferentiate());
    if (!module || mlir::failed(passes.run(*module)))
      throw std::runtime_error("the program cannot be differentiated");
    interpreter.emplace(*module);
    if (!program.variables().empty())
      call("init", {}); // so that variables may be set before the first call
  }

  // All elements of all results.
  std::vector<double> call(const std::string &entry,
                           const std::vector<std::pair<Shape, std::vector<float>>> &inputs) {
    std::vector<mlir::gen::Array> arguments;
    for (const auto &[shape, values] : inputs)
      arguments.push_back(arrayOf(shape, values));
    auto results = interpreter->run(entry, arguments);
    if (mlir::failed(results))
      throw std::runtime_error("the interpreter failed");
    std::vector<double> numbers;
    for (const mlir::gen::Array &result : *results)
      numbers.insert(numbers.end(), result.floats.begin(), result.floats.end());
    return numbers;
  }
  void set(const Variable &variable, const std::vector<float> &values) {
    *interpreter->variable(variable.name()) = arrayOf(variable.shape(), values);
  }

private:
  mlir::gen::Array arrayOf(const Shape &shape, const std::vector<float> &values) {
    llvm::SmallVector<int64_t> sizes;
    for (const Dimension &dimension : shape)
      sizes.push_back(dimension.number());
    mlir::gen::Array array(mlir::Float32Type::get(&context), sizes);
    array.floats.assign(values.begin(), values.end());
    return array;
  }

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<mlir::gen::Interpreter> interpreter;
};

void expectClose(const std::vector<double> &actual, const std::vector<double> &expected,
                 double relative) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], relative * std::abs(expected[i]) + 1e-7) << "number " << i;
}

// Weights after each of five steps down sum(c w^2) + sum(w).
template <typename Optimizer, typename Options>
std::vector<double> descend(const Options &options) {
  Program program("descent");
  Variable w = (program / "model").variable("w", f32, {4});
  Optimizer optimizer(program / "optimizer", options);
  program.entry("train_step", {}, training, [&] {
    Tensor c = known(signedNumbers(2, 4), {4});
    optimizer.minimize(sum(c * w * w) + sum(w), {w});
    return result("w", w);
  });
  Interpreted model(program);
  model.set(w, signedNumbers(1, 4));
  std::vector<double> path;
  for (int step = 0; step < 5; ++step)
    for (double number : model.call("train_step", {}))
      path.push_back(number);
  return path;
}

TEST(Optimizers, AdamFollowsPyTorch) {
  AdamOptions options = {.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-6};
  expectClose(descend<Adam>(options), kAdam, 1e-5);
}

TEST(Optimizers, SgdFollowsPyTorch) {
  expectClose(descend<SGD>(SgdOptions{.learning_rate = 0.05}), kSgd, 1e-6);
  expectClose(descend<SGD>(SgdOptions{.learning_rate = 0.05, .momentum = 0.9}), kMomentum, 1e-6);
}

TEST(Optimizers, MistakesAreNamed) {
  Program program("test");
  Variable w = (program / "a").variable("w", f32, {4}), v = (program / "b").variable("v", f32, {4});
  Adam adam(program / "adam");
  auto minimize = [&](const std::vector<Variable> &variables) -> std::string {
    try {
      program.entry("step", {}, training, [&] {
        Tensor loss = sum(w * w) + sum(v * v);
        adam.minimize(loss, variables);
      });
    } catch (const BuildError &error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(minimize({}), testing::HasSubstr("adam.minimize: there are no variables to change"));
  EXPECT_EQ(minimize({w}), "no error");
}

TEST(Losses, FollowPyTorch) {
  Program program("losses");
  program.entry("main", {}, [&] {
    Tensor x = known(signedNumbers(3, 6, 4.0), {2, 3}), t = known(uniformNumbers(4, 6), {2, 3});
    Tensor mu = known(signedNumbers(5, 6, 2.0), {2, 3}),
           logVariance = known(signedNumbers(6, 6, 2.0), {2, 3});
    return result("bce_with_logits", bce_with_logits(x, t))
        .result("bce", bce(sigmoid(x), t))
        .result("mse", mse(x, t))
        .result("l1", l1(x, t))
        .result("kl", kl_standard_normal(mu, logVariance));
  });
  std::vector<double> expected;
  for (const auto &part : {kBceWithLogits, kBce, kMse, kL1, kKl})
    expected.insert(expected.end(), part.begin(), part.end());
  expectClose(Interpreted(program).call("main", {}), expected, 1e-5);
}

// The VAE of frontend-oracle.py.
struct Vae {
  Program program{"vae"};
  Scope net = program / "net";
  int64_t batch, pixels, latent;
  Linear enc, stats;
  Mlp dec;
  Adam adam;

  Vae(int64_t batch, int64_t pixels, int64_t hidden, int64_t latent, double rate)
      : batch(batch), pixels(pixels), latent(latent), enc(net / "enc", pixels, hidden),
        stats(net / "stats", hidden, 2 * latent), dec(net / "dec", {latent, hidden, pixels}),
        adam(program / "adam", {.learning_rate = rate}) {
    program.entry("main", {input("x", f32, {batch, pixels}), input("eps", f32, {batch, latent})},
                  training, [&](Tensor x, Tensor eps) {
                    auto [mu, logVariance] = chunk<2>(stats(relu(enc(x))), 1);
                    Tensor logits = dec(mu + eps * exp(0.5 * logVariance));
                    Tensor loss =
                        sum(bce_with_logits(logits, x)) + sum(kl_standard_normal(mu, logVariance));
                    adam.minimize(loss, net.variables());
                    return result("loss", loss);
                  });
  }

  // Losses of 20 steps. `set` gives a variable its value, `call` takes a step.
  std::vector<double>
  run(const std::function<void(const Variable &, const std::vector<float> &)> &set,
      const std::function<double(const std::vector<float> &, const std::vector<float> &)> &call)
      const {
    uint32_t number = 0;
    for (const Variable &variable : net.variables()) {
      int64_t count = 1;
      for (const Dimension &dimension : variable.shape())
        count *= dimension.number();
      set(variable, signedNumbers(++number, count, 0.05));
    }
    std::vector<double> losses;
    for (uint32_t step = 1; step <= 20; ++step)
      losses.push_back(call(pictures(step), signedNumbers(100 * step + 1, batch * latent, 1.7)));
    return losses;
  }

  // Noisy copies of one picture.
  std::vector<float> pictures(uint32_t step) const {
    std::vector<float> picture = uniformNumbers(99, pixels),
                       values = uniformNumbers(100 * step, batch * pixels);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] =
          static_cast<float>(0.25 * values[i] + (picture[i % picture.size()] > 0.5 ? 0.75 : 0));
    return values;
  }

  std::vector<double> interpret() const {
    Interpreted model(program);
    return run([&](const Variable &v, const std::vector<float> &values) { model.set(v, values); },
               [&](const std::vector<float> &x, const std::vector<float> &eps) {
                 return model.call("main", {{{batch, pixels}, x}, {{batch, latent}, eps}}).front();
               });
  }
  std::vector<double> runCompiled() const {
    Model model = compile(program);
    Session session(model);
    auto set = [&](const Variable &variable, const std::vector<float> &values) {
      std::vector<int64_t> shape;
      for (const Dimension &dimension : variable.shape())
        shape.push_back(dimension.number());
      session.setVariable(variable.name(), View(values.data(), shape));
    };
    return run(set, [&](const std::vector<float> &x, const std::vector<float> &eps) {
      return session
          .call("main", {View(x.data(), {batch, pixels}), View(eps.data(), {batch, latent})})
          .scalar<float>("loss");
    });
  }
};

TEST(Training, SmallVaeFollowsPyTorchAndTheInterpreter) {
  Vae vae(8, 48, 24, 4, 1e-2);
  std::vector<double> interpreted = vae.interpret();
  expectClose(interpreted, kSmallVae, 1e-5);
  expectClose(vae.runCompiled(), interpreted, 1e-5);
}

TEST(Training, VaeFollowsPyTorch) {
  expectClose(Vae(128, 784, 400, 20, 1e-3).runCompiled(), kVae, 1e-4);
}

} // namespace
