// The builder: the MLIR it writes, and what it says about mistakes.
#include "gen/builder.hpp"
#include "gen/losses.hpp"
#include "gen/nn.hpp"
#include "gen/optimizers.hpp"

#include <gmock/gmock.h>

namespace {

using namespace gen;
using testing::HasSubstr;
using testing::Not;

// The message of the BuildError that `body` throws.
template <typename Body> std::string messageOf(Body body) {
  try {
    body();
  } catch (const BuildError &error) {
    return error.what();
  }
  return "no error";
}

// The message of a mistake in the only entry of a program, which has an input x: f32[batch, 4].
template <typename Body> std::string mistake(Body body) {
  return messageOf([&] {
    Program program("test");
    Dimension batch = program.dimension("batch");
    program.entry("main", {input("x", f32, {batch, 4})}, [&](Tensor x) { body(x); });
  });
}

int countOf(const std::string &text, const std::string &part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(Builder, WritesEntriesWithNamesAndDimensions) {
  Program program("test");
  Dimension batch = program.dimension("batch");
  program.entry("main", {input("x", f32, {batch, 4}), input("y", f32, {4})},
                [&](Tensor x, Tensor y) { return result("sum", x + y).result("product", x * y); });
  std::string text = program.str();
  EXPECT_THAT(text, HasSubstr("module @test"));
  EXPECT_THAT(text,
              HasSubstr("func.func @main(%arg0: tensor<?x4xf32> {gen.dims = [\"batch\", \"\"], "
                        "gen.name = \"x\"}, %arg1: tensor<4xf32>"));
  EXPECT_THAT(text, HasSubstr("-> (tensor<?x4xf32> {gen.name = \"sum\"}, tensor<?x4xf32> "
                              "{gen.name = \"product\"})"));
  EXPECT_THAT(
      text,
      HasSubstr("gen.add %arg0, %arg1 : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>"));
  EXPECT_THAT(text, Not(HasSubstr("@init"))); // there are no variables
}

TEST(Builder, KeepsLocations) {
  Program program("test");
  unsigned line = 0;
  program.entry("main", {input("x", f32, {4})}, [&](Tensor x) {
    line = __LINE__ + 1;
    return result("y", exp(x) + 1.0);
  });
  EXPECT_THAT(program.str(true), HasSubstr("frontend-builder.cpp\":" + std::to_string(line) + ":"));
  EXPECT_THAT(program.str(false), Not(HasSubstr("frontend-builder.cpp")));
}

TEST(Builder, ReadsOnceAndStoresTheLastValueAtTheEnd) {
  Program program("test");
  Variable count = (program / "state").variable("count", i64, {});
  program.entry("step", {}, [&] {
    assign(count, count + 1);
    assign(count, count * 2);
    return result("count", count);
  });
  std::string text = program.str();
  std::string step = text.substr(text.find("@step"));
  EXPECT_EQ(countOf(step, "gen.read @state.count"), 1);
  EXPECT_EQ(countOf(step, "gen.assign @state.count"), 1);
  EXPECT_LT(step.find("gen.mul"), step.find("gen.assign"));
  EXPECT_THAT(step, HasSubstr("return %4"));
}

TEST(Builder, InitDrawsByNameAndLeavesTheSeed) {
  auto initOf = [](bool another) {
    Program program("test");
    if (another)
      (program / "other").variable("weight", f32, {3}, Initializer::normal(0, 1));
    (program / "layer").variable("weight", f32, {2}, Initializer::uniform(-1, 1));
    return program.str();
  };
  auto streamOf = [](const std::string &text) {
    size_t at = text.find("gen.random_uniform");
    return text.substr(text.find("stream", at), 20);
  };
  EXPECT_EQ(streamOf(initOf(false)), streamOf(initOf(true)));
  EXPECT_THAT(initOf(true), HasSubstr("gen.random_normal"));
  EXPECT_THAT(initOf(true), Not(HasSubstr("gen.assign @random.seed")));
}

TEST(Builder, DrawsCountCallsAndNumberStreams) {
  Program program("test");
  program.entry("train", {}, training, [&] { return result("x", normal({4}) + uniform({4})); });
  program.entry("test", {}, evaluation, [&] { return result("x", normal({4})); });
  std::string text = program.str(), train = text.substr(text.find("@train")),
              test = train.substr(train.find("@test"));
  EXPECT_THAT(train, HasSubstr("stream 0 : tensor<4xf32>"));
  EXPECT_THAT(train, HasSubstr("stream 1 : tensor<4xf32>"));
  EXPECT_THAT(train, HasSubstr("gen.assign @random.counter"));
  EXPECT_THAT(test, Not(HasSubstr("random.counter")));
}

TEST(Builder, LayersKnowTheMode) {
  Program program("test");
  bool trains = false, infers = true;
  program.entry("train", {}, training, [&] { trains = isTraining(); });
  program.entry("sample", {}, [&] { infers = isTraining(); });
  EXPECT_TRUE(trains);
  EXPECT_FALSE(infers);
  EXPECT_FALSE(isTraining());
}

TEST(Builder, SizesAreArithmetic) {
  Program program("test");
  Dimension length = program.dimension("length"), batch = program.dimension("batch");
  EXPECT_EQ((2 * length + 1).str(), "2 * length + 1");
  EXPECT_EQ(batch * length, length * batch);
  EXPECT_EQ((length + 1) * 2 - 2, 2 * length);
  EXPECT_EQ((6 * batch * length).dividedBy(2 * length), 3 * batch);
  EXPECT_EQ((batch + 1).dividedBy(length), std::nullopt);
  program.entry("main", {input("x", f32, {batch, length, 3})}, [&](Tensor x) {
    Tensor rows = reshape(x, {-1, 3});
    EXPECT_EQ(rows.dimension(0), batch * length);
    EXPECT_EQ(reshape(rows, {batch, -1}).dimension(-1), 3 * length);
    return result("y", rows);
  });
  EXPECT_THAT(program.str(), HasSubstr("arith.muli"));
}

TEST(Builder, ShapesOfMovement) {
  Program program("test");
  Dimension batch = program.dimension("batch");
  program.entry("main", {input("x", f32, {batch, 6})}, [&](Tensor x) {
    auto [left, right] = chunk<2>(x, 1);
    EXPECT_EQ(left.shape(), (Shape{batch, 3}));
    EXPECT_EQ(concat({left, x}, -1).shape(), (Shape{batch, 9}));
    EXPECT_EQ(transpose(x).shape(), (Shape{6, batch}));
    EXPECT_EQ(pad(x, {.low = {0, 1}, .high = {0, 2}}).shape(), (Shape{batch, 9}));
    EXPECT_EQ(slice(x, {.axis = 1, .start = 1, .limit = 6, .stride = 2}).shape(),
              (Shape{batch, 3}));
    EXPECT_EQ(sum(x, {.axes = {-1}}).shape(), (Shape{batch}));
    EXPECT_EQ(mean(x, {.axes = {0}, .keepdim = true}).shape(), (Shape{1, 6}));
    EXPECT_EQ(where(x > 0, x, 0.0).shape(), x.shape());
    EXPECT_EQ(bernoulli_like(x, 0.25).dtype(), boolean);
    return result("y", right);
  });
  EXPECT_THAT(program.str(), HasSubstr("gen.slice"));
}

TEST(Builder, GradientsAreValues) {
  Program program("test");
  Dimension batch = program.dimension("batch");
  Linear critic(program / "critic", 4, 1);
  program.entry("main", {input("x", f32, {batch, 4})}, training, [&](Tensor x) {
    Tensor slope = norm(gradient(sum(critic(x)), x), {.axes = {1}});
    Tensor penalty = mean(square(slope - 1.0));
    return result("gradient", gradient(penalty, critic.weight));
  });
  EXPECT_EQ(countOf(program.str(), "gen.gradient"), 2);
}

//===- Mistakes -----------------------------------------------------------===//

TEST(BuilderMistakes, NamesTheLineBothOperandsAndAHint) {
  unsigned made = 0, used = 0;
  std::string message = mistake([&](Tensor x) {
    made = __LINE__ + 1;
    Tensor wide = concat({x, x}, 1);
    used = __LINE__ + 1;
    Tensor y = matmul(wide, constant(std::vector<double>(12, 1.0), {4, 3}));
  });
  EXPECT_THAT(message, testing::MatchesRegex(
                           ".*frontend-builder.cpp:" + std::to_string(used) +
                           ":[0-9]+: error: gen.matmul: lhs has 8 columns, rhs has 4 rows\n"
                           "  lhs: concat.x, ....  f32.batch, 8.  .*frontend-builder.cpp:" +
                           std::to_string(made) + ":[0-9]+\n" +
                           "  rhs: constant        f32.4, 3.      .*frontend-builder.cpp:.*"));
}

TEST(BuilderMistakes, OperatorsKnowTheUsersLine) {
  unsigned used = 0;
  std::string message = mistake([&](Tensor x) {
    used = __LINE__ + 1;
    Tensor y = 0.5 * x + zeros({3});
  });
  EXPECT_THAT(message, HasSubstr("frontend-builder.cpp:" + std::to_string(used) + ":"));
  EXPECT_THAT(message, HasSubstr("gen.add: shapes do not broadcast: axis -1 is 4 and 3"));
  EXPECT_THAT(message, HasSubstr("lhs: 0.5 * x"));
}

TEST(BuilderMistakes, LayersSayWhatTheyWereMadeFor) {
  unsigned used = 0;
  std::string message = messageOf([&] {
    Program program("test");
    Linear layer(program / "vae" / "fc2", 20, 8);
    program.entry("main", {input("z", f32, {64, 20}), input("h", f32, {64, 400})},
                  [&](Tensor z, Tensor h) {
                    used = __LINE__ + 1;
                    return result("y", layer(relu(h)));
                  });
  });
  EXPECT_THAT(message, HasSubstr("frontend-builder.cpp:" + std::to_string(used) + ":"));
  EXPECT_THAT(message, HasSubstr("error: gen.matmul: lhs has 400 columns, rhs has 20 rows"));
  EXPECT_THAT(message, HasSubstr("relu(h)"));
  EXPECT_THAT(message, HasSubstr("f32[8, 20] transposed"));
  EXPECT_THAT(message,
              HasSubstr("hint: Linear 'vae.fc2' was made for 20 inputs; did you mean to pass z "
                        "(f32[64, 20]"));
}

// Layers of layers, losses and optimizers are made of many ops: what is wrong is the user's line.
TEST(BuilderMistakes, CompositionsNameTheUsersLine) {
  unsigned used = 0;
  auto expectLine = [&](const char *what, auto body) {
    std::string message = messageOf([&] {
      Program program("test");
      Mlp net(program / "net", {4, 8, 3});
      Variable w = (program / "net").variable("w", f32, {3});
      Adam adam(program / "adam");
      Input x = input("x", f32, {2, 5}), t = input("t", f32, {2, 3});
      program.entry("main", {x, t}, [&](Tensor x, Tensor t) { body(net, adam, w, x, t); });
    });
    EXPECT_THAT(message, HasSubstr("frontend-builder.cpp:" + std::to_string(used) + ":"));
    EXPECT_THAT(message, HasSubstr(what));
  };
  expectLine("Linear 'net.0' was made for 4 inputs", [&](auto &net, auto &, auto &, auto x, auto) {
    used = __LINE__ + 1;
    return net(x);
  });
  expectLine("expected prediction and target of one shape",
             [&](auto &, auto &, auto &, auto x, auto t) {
               used = __LINE__ + 1;
               return mse(x, t);
             });
  expectLine("expected prediction and target of one shape",
             [&](auto &, auto &, auto &, auto x, auto t) {
               used = __LINE__ + 1;
               return l1(x, t);
             });
  expectLine("shapes do not broadcast", [&](auto &, auto &, auto &, auto x, auto t) {
    used = __LINE__ + 1;
    return bce(sigmoid(x), t);
  });
  expectLine("shapes do not broadcast", [&](auto &, auto &, auto &, auto x, auto t) {
    used = __LINE__ + 1;
    return bce_with_logits(x, t);
  });
  expectLine("shapes do not broadcast", [&](auto &, auto &, auto &, auto x, auto t) {
    used = __LINE__ + 1;
    return kl_standard_normal(x, t);
  });
  expectLine("expected the gradient of a scalar", [&](auto &, auto &adam, auto &w, auto, auto t) {
    used = __LINE__ + 1;
    adam.minimize(t * w, {w});
  });
}

TEST(BuilderMistakes, DTypes) {
  EXPECT_THAT(mistake([](Tensor x) { return x + zeros({4}, i64); }),
              HasSubstr("gen.add: lhs is f32, rhs is i64"));
  EXPECT_THAT(mistake([](Tensor x) { return exp(cast(x, i32)); }),
              HasSubstr("gen.exp: expected f32 or f64, got i32"));
  EXPECT_THAT(mistake([](Tensor x) { return 0.5 * cast(x, i32); }),
              HasSubstr("a number with a fraction meets a tensor of i32"));
  EXPECT_THAT(mistake([](Tensor x) { return sum(x > 0); }),
              HasSubstr("gen.reduce_sum: expected numbers, got booleans"));
  EXPECT_THAT(mistake([](Tensor x) { return where(x, x, x); }),
              HasSubstr("gen.select: expected booleans, got f32"));
}

TEST(BuilderMistakes, Shapes) {
  EXPECT_THAT(mistake([](Tensor x) { return sum(x, {.axes = {2}}); }),
              HasSubstr("there is no axis 2"));
  EXPECT_THAT(mistake([](Tensor x) { return sum(x, {.axes = {1, -1}}); }),
              HasSubstr("an axis is given twice"));
  EXPECT_THAT(mistake([](Tensor x) { return reshape(x, {5, 5}); }),
              HasSubstr("gen.reshape: expected 4 * batch elements, got the shape f32[5, 5]"));
  EXPECT_THAT(mistake([](Tensor x) { return slice(x, {.axis = 1, .start = 2, .limit = 9}); }),
              HasSubstr("expected 0 <= start <= limit <= 4"));
  EXPECT_THAT(mistake([](Tensor x) { return slice(x, {.axis = 0, .start = 0, .limit = 1}); }),
              HasSubstr("the size of axis 0 is not a number"));
  EXPECT_THAT(mistake([](Tensor x) { return chunk(x, 3, 1); }), HasSubstr("has no 3 equal parts"));
  EXPECT_THAT(mistake([](Tensor x) { return concat({x, zeros({2, 3})}, 0); }),
              HasSubstr("gen.concat"));
  EXPECT_THAT(mistake([](Tensor x) { return broadcast_to(x, {3, 3}); }),
              HasSubstr("cannot be repeated to f32[3, 3]"));
  EXPECT_THAT(mistake([](Tensor) { return normal({Dimension::symbol("other")}); }),
              HasSubstr("dimension 'other' is unknown here"));
}

TEST(BuilderMistakes, Gradients) {
  EXPECT_THAT(mistake([](Tensor x) { return gradient(x, x); }),
              HasSubstr("expected the gradient of a scalar"));
  EXPECT_THAT(mistake([](Tensor x) { return gradient(sum(x), exp(x)); }),
              HasSubstr("sum(x) does not depend on exp(x)"));
}

TEST(BuilderMistakes, UseOutsideOfItsEntry) {
  EXPECT_THAT(messageOf([] { zeros({4}); }), HasSubstr("used outside of an entry"));
  EXPECT_THAT(messageOf([] {
                Program program("test");
                Tensor kept;
                program.entry("first", {input("x", f32, {4})}, [&](Tensor x) { kept = x; });
                program.entry("second", {}, [&] { return result("y", exp(kept)); });
              }),
              HasSubstr("entry 'second': a value of another entry is used"));
  EXPECT_THAT(mistake([](Tensor) { return exp(Tensor()); }), HasSubstr("never given a value"));
}

TEST(BuilderMistakes, Names) {
  Program program("test");
  Scope scope = program / "layer";
  scope.variable("weight", f32, {4});
  EXPECT_THAT(messageOf([&] { scope.variable("weight", f32, {4}); }),
              HasSubstr("'layer.weight' exists already"));
  EXPECT_THAT(messageOf([&] { scope.variable("", f32, {4}); }), HasSubstr("is not a name"));
  EXPECT_THAT(messageOf([&] { scope.variable("w", f32, {program.dimension("n")}); }),
              HasSubstr("expected a shape of numbers, got f32[n]"));
  program.entry("main", {}, [] {});
  EXPECT_THAT(messageOf([&] { program.entry("main", {}, [] {}); }),
              HasSubstr("there is an entry 'main' already"));
  EXPECT_THAT(messageOf([&] { program.entry("init", {}, [] {}); }), HasSubstr("the name is taken"));
  EXPECT_THAT(messageOf([&] {
                program.entry("two", {input("x", f32, {}), input("x", f32, {})},
                              [](Tensor, Tensor) {});
              }),
              HasSubstr("two inputs are called 'x'"));
  EXPECT_THAT(messageOf([&] { program.entry("few", {input("x", f32, {})}, [] {}); }),
              HasSubstr("entry 'few': has 1 input, but its function takes 0 tensors"));
}

TEST(BuilderMistakes, LeaveTheProgramAsItWas) {
  Program program("test");
  program.entry("good", {input("x", f32, {4})}, [](Tensor x) { return result("y", exp(x)); });
  std::string before = program.str();
  EXPECT_THROW(program.entry("bad", {input("x", f32, {4})},
                             [](Tensor x) { return result("y", x + zeros({3})); }),
               BuildError);
  EXPECT_EQ(program.str(), before);
  program.entry("bad", {input("x", f32, {4})}, [](Tensor x) { return result("y", log(x)); });
  EXPECT_THAT(program.str(), HasSubstr("@bad"));
}

TEST(BuilderMistakes, AssignmentsKeepTheType) {
  Program program("test");
  Variable weight = (program / "layer").variable("weight", f32, {4});
  EXPECT_THAT(messageOf([&] { program.entry("main", {}, [&] { assign(weight, zeros({3})); }); }),
              HasSubstr("expected f32[4], got f32[3]"));
}

} // namespace
