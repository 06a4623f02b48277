//===- OpTable.cpp - the rows ---------------------------------------------===//

#include "OpTable.h"

using namespace optable;

static const std::vector<std::string> kNumbers = {"f32", "f64", "i8", "i32", "i64"};
static const std::vector<std::string> kAny = {"f32", "f64", "i1", "i32", "i64"};

static Row unary(const std::string &op, double low, double high) {
  return {.op = "gen." + op,
          .arguments = {{"x", "AxBxE", low, high}},
          .body = "%z = gen." + op + " %x : $x",
          .special = true};
}

static Row numberUnary(const std::string &op) {
  Row row = unary(op, -9, 9);
  row.elements = kNumbers;
  return row;
}

/// An op of two operands, of these shapes.
static Row binary(const std::string &op, const std::string &variant, const std::string &lhs,
                  const std::string &rhs, const std::string &result) {
  return {.op = "gen." + op,
          .variant = variant,
          .arguments = {{"x", lhs}, {"y", rhs}},
          .result = result,
          .body = "%z = gen." + op + " %x, %y : ($x, $y) -> $z"};
}

static Row numberBinary(const std::string &op) {
  Row row = binary(op, "", "AxBxE", "BxE", "AxBxE");
  row.elements = kNumbers;
  row.arguments[0].low = row.arguments[1].low = -9;
  row.arguments[0].high = row.arguments[1].high = 9;
  row.special = true;
  return row;
}

static Row logical(const std::string &op) {
  Row row = binary(op, "", "AxBxi1", "AxBxi1", "AxBxi1");
  row.elements = {"i1"};
  row.differentiable = false;
  return row;
}

static Row compare(const std::string &predicate) {
  Row row = numberBinary("compare " + predicate);
  row.op = "gen.compare";
  row.variant = predicate;
  row.result = "AxBxi1";
  row.differentiable = false;
  for (Argument &argument : row.arguments)
    argument.low = -2, argument.high = 2; // integers tie often
  return row;
}

static Row cast(const std::string &from, const std::string &to, double low, double high) {
  return {.op = "gen.cast",
          .variant = from + "_to_" + to,
          .arguments = {{"x", "AxBx" + from, low, high}},
          .result = "AxBx" + to,
          .body = "%z = gen.cast %x : $x -> $z",
          .elements = {"f64"},
          .differentiable = from[0] == 'f' && to[0] == 'f',
          .special = true};
}

static Row reduce(const std::string &op, const std::string &variant, const std::string &axes,
                  const std::string &result, const std::vector<std::string> &elements) {
  return {.op = "gen." + op,
          .variant = variant,
          .arguments = {{"x", "AxBxCxE", -9, 9}},
          .result = result,
          .body = "%z = gen." + op + " %x axes [" + axes + "] : $x -> $z",
          .elements = elements};
}

static Row matmul(const std::string &variant, const std::string &lhs, const std::string &rhs,
                  const std::string &result, const std::string &lhsFlag,
                  const std::string &rhsFlag) {
  return {.op = "gen.matmul",
          .variant = variant,
          .arguments = {{"x", lhs, -1, 1}, {"y", rhs, -1, 1}},
          .result = result,
          .body = "%z = gen.matmul %x" + lhsFlag + ", %y" + rhsFlag + " : ($x, $y) -> $z",
          .sizes = {{4, 16, 3}, {5, 37, 7}, {1, 1, 1}, {33, 130, 65}}};
}

static Row move(const std::string &op, const std::string &variant, const std::string &result,
                const std::string &body) {
  return {.op = "gen." + op,
          .variant = variant,
          .arguments = {{"x", "AxBxE", -9, 9}},
          .result = result,
          .body = body,
          .elements = kAny};
}

static Row random(const std::string &op, const std::string &attributes, const std::string &result,
                  const std::vector<std::string> &elements) {
  return {.op = "gen." + op,
          .arguments = {{"key", "i64", -1e9, 1e9}, {"counter", "i64", 0, 9}, {"x", "AxBxi1"}},
          .result = result,
          .body = "%z = gen." + op + " %key, %counter stream 7" + attributes +
                  "?{ sizes(%A, %B)}? : $z",
          .elements = elements,
          .differentiable = false};
}

static void addElementwise(std::vector<Row> &rows) {
  for (const char *op : {"neg", "abs", "sign"})
    rows.push_back(numberUnary(op));
  rows.push_back(unary("exp", -4, 4));
  rows.push_back(unary("log", 0.1, 9));
  rows.push_back(unary("log1p", -0.9, 9));
  rows.push_back(unary("sqrt", 0.1, 9));
  rows.push_back(unary("rsqrt", 0.1, 9));
  rows.push_back(unary("tanh", -4, 4));
  rows.push_back(unary("sigmoid", -9, 9));
  rows.push_back(unary("erf", -3, 3));
  rows.push_back(unary("sin", -9, 9));
  rows.push_back(unary("cos", -9, 9));
  rows.push_back(unary("relu", -2, 2));
  Row leaky = unary("leaky_relu", -2, 2);
  leaky.body = "%z = gen.leaky_relu %x slope 2.0e-01 : $x";
  rows.push_back(leaky);
  leaky.variant = "negative_slope";
  leaky.body = "%z = gen.leaky_relu %x slope -3.0e-01 : $x";
  rows.push_back(leaky);
  Row negation = unary("not", 0, 1);
  negation.elements = {"i1"};
  negation.differentiable = negation.special = false;
  rows.push_back(negation);
  Row stop = unary("stop_gradient", -2, 2);
  stop.differentiable = false;
  rows.push_back(stop);

  for (const char *op : {"add", "sub", "mul", "div", "max", "min"})
    rows.push_back(numberBinary(op));
  rows.push_back(binary("add", "scalar", "AxBxE", "E", "AxBxE"));
  rows.push_back(binary("mul", "both_repeated", "Ax1xE", "1xBxE", "AxBxE"));
  rows.push_back(binary("sub", "rank_of_rhs", "BxE", "AxBxE", "AxBxE"));
  rows.push_back(binary("mul", "rank_three", "AxBxCxE", "Bx1xE", "AxBxCxE"));
  Row division = binary("div", "columns", "AxBxE", "Ax1xE", "AxBxE");
  division.arguments[1].low = 0.5;
  rows.push_back(division);
  Row power = binary("pow", "", "AxBxE", "BxE", "AxBxE");
  power.arguments[0].low = 0.2;
  power.special = true;
  rows.push_back(power);
  rows.push_back(logical("and"));
  rows.push_back(logical("or"));

  for (const char *predicate : {"eq", "ne", "lt", "le", "gt", "ge"})
    rows.push_back(compare(predicate));
  rows.push_back({.op = "gen.select",
                  .arguments = {{"c", "AxBxi1"}, {"x", "AxBxE"}, {"y", "E"}},
                  .body = "%z = gen.select %c, %x, %y : ($c, $x, $y) -> $z",
                  .elements = kAny});
  rows.push_back(cast("f32", "f64", -9, 9));
  rows.push_back(cast("f64", "f32", -9, 9));
  rows.push_back(cast("f32", "i8", -300, 300));
  rows.push_back(cast("f32", "i32", -4e9, 4e9));
  rows.push_back(cast("f64", "i64", -1e19, 1e19));
  rows.push_back(cast("f32", "i1", -1, 1));
  rows.push_back(cast("i1", "f32", 0, 1));
  rows.push_back(cast("i64", "f32", -1e6, 1e6));
  rows.push_back(cast("i32", "i8", -1000, 1000));
  rows.push_back(cast("i8", "i64", -128, 127));
}

static void addReductions(std::vector<Row> &rows) {
  for (const char *op : {"reduce_sum", "reduce_max", "reduce_min"}) {
    rows.push_back(reduce(op, "last", "2", "AxBxE", kNumbers));
    rows.push_back(reduce(op, "first", "0", "BxCxE", {"f32", "f64"}));
    rows.push_back(reduce(op, "outer", "0, 2", "BxE", {"f32", "f64"}));
    rows.push_back(reduce(op, "all", "0, 1, 2", "E", kNumbers));
    rows.back().cancels = op == std::string("reduce_sum");
  }
  rows.push_back(reduce("reduce_mean", "last", "2", "AxBxE", {"f32", "f64"}));
  rows.push_back(reduce("reduce_mean", "all", "0, 1, 2", "E", {"f32", "f64"}));
  rows.back().cancels = true;
  // Floating point never ties by chance.
  for (const char *op : {"reduce_max", "reduce_min"}) {
    Row ties = reduce(op, "ties", "1", "AxE", {"f32", "f64"});
    ties.arguments = {{"x", "AxBxE"}};
    ties.types = {{"twice", "AxB*2xE"}};
    ties.body = "%twice = gen.concat %x, %x axis 1 : ($x, $x) -> $twice\n  %z = gen." +
                std::string(op) + " %twice axes [1] : $twice -> $z";
    ties.dynamic = false;
    rows.push_back(ties);
  }

  rows.push_back(matmul("", "AxBxE", "BxCxE", "AxCxE", "", ""));
  rows.push_back(matmul("lhs_transposed", "BxAxE", "BxCxE", "AxCxE", " transposed", ""));
  rows.push_back(matmul("rhs_transposed", "AxBxE", "CxBxE", "AxCxE", "", " transposed"));
  rows.push_back(matmul("chains", "AxBxE", "BxCxE", "AxCxE", "", " {chain = 16}"));
  rows.push_back(
      matmul("chains_lhs_transposed", "BxAxE", "BxCxE", "AxCxE", " transposed", " {chain = 16}"));
  rows.push_back(
      matmul("both_transposed", "BxAxE", "CxBxE", "AxCxE", " transposed", " transposed"));
  Row batched = matmul("batched", "3xAxBxE", "3xBxCxE", "3xAxCxE", "", "");
  batched.sizes = {{4, 16, 3}, {5, 37, 7}, {1, 1, 1}};
  rows.push_back(batched);

  rows.push_back({.op = "gen.partial_sums",
                  .arguments = {{"x", "AxBxE"}},
                  .result = "3xAxBxE",
                  .body = "%z = gen.partial_sums %x : $x -> $z",
                  .differentiable = false});

  rows.push_back({.op = "gen.bce_with_logits",
                  .arguments = {{"x", "AxBxE", -9, 9}, {"y", "AxBxE", 0, 1}},
                  .body = "%z = gen.bce_with_logits %x, %y : ($x, $y) -> $z"});
}

/// Parts of one type are computed side by side, in a kernel of their own or a product's.
static void addJoinedParts(std::vector<Row> &rows) {
  Row lines = move("concat", "lines", "Ax12xBxE", R"(%s = gen.exp %x : $x
  %t = gen.mul %s, %y : ($x, $y) -> $x
  %z = gen.concat %s, %t, %y axis 1 : ($x, $x, $y) -> $z)");
  lines.arguments = {{"x", "Ax4xBxE"}, {"y", "Ax4xBxE"}};
  Row columns = lines;
  columns.variant = "columns";
  columns.arguments = {{"x", "AxBx19xE"}, {"y", "AxBx19xE"}};
  columns.result = "AxBx57xE";
  columns.body = R"(%s = gen.tanh %x : $x
  %t = gen.mul %s, %y : ($x, $y) -> $x
  %z = gen.concat %t, %s, %x axis 2 : ($x, $x, $x) -> $z)";
  Row narrow = columns; // lanes side by side in a part are apart in the whole
  narrow.variant = "narrow";
  narrow.arguments = {{"x", "AxBx1xE"}, {"y", "AxBx1xE"}};
  narrow.result = "AxBx3xE";
  Row product = columns;
  product.variant = "product";
  product.arguments = {{"x", "AxBxE", -0.5, 0.5}, {"w", "Bx19xE", -0.5, 0.5}, {"y", "Ax19xE"}};
  product.result = "Ax57xE";
  product.body = R"(%p = gen.matmul %x, %w : ($x, $w) -> $y
  %s = gen.tanh %p : $y
  %t = gen.mul %s, %y : ($y, $y) -> $y
  %z = gen.concat %t, %y, %s axis 1 : ($y, $y, $y) -> $z)";
  // One product stores its result with a frame for the next, and as a part.
  Row framed = product;
  framed.variant = "framed";
  framed.arguments = {
      {"x", "AxBxCx4xE", -0.5, 0.5}, {"w", "3x3x4x4xE", -0.5, 0.5}, {"v", "1x1x8x4xE", -0.5, 0.5}};
  framed.types = {{"k", "AxBxCx8xE"}};
  framed.result = "AxBxCx4xE";
  std::string window = " strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] channels_last",
              one = " strides [1, 1] low [0, 0] high [0, 0] dilations [1, 1] channels_last";
  framed.body = "%c = gen.convolution %x, %w" + window + R"( : ($x, $w) -> $x
  %t = gen.tanh %c : $x
  %d = gen.convolution %t, %w)" +
                window + R"( : ($x, $w) -> $x
  %k = gen.concat %t, %x axis 3 : ($x, $x) -> $k
  %e = gen.convolution %k, %v)" +
                one + R"( : ($k, $v) -> $x
  %z = gen.add %d, %e : ($x, $x) -> $z)";
  framed.sizes = {{2, 3, 4}, {1, 1, 1}, {3, 9, 17}};
  for (Row &row : std::array{lines, columns, narrow, product, framed}) {
    row.elements = {"f32", "f64"};
    rows.push_back(row);
  }
}

static void addMovements(std::vector<Row> &rows) {
  rows.push_back(move("size", "", "AxBxE", R"(%one = arith.constant 1 : index
  %columns = tensor.dim %x, %one : $x
  %n = gen.size %columns : tensor<i64>
  %count = gen.cast %n : tensor<i64> -> tensor<$E>
  %z = gen.mul %x, %count : ($x, tensor<$E>) -> $z)"));
  rows.back().elements = {"f32", "f64"};
  rows.push_back(move("reshape", "flat", "A*BxE", R"(?{%n = arith.muli %A, %B : index
  }?%z = gen.reshape %x?{ sizes(%n)}? : $x -> $z)"));
  rows.push_back(
      move("reshape", "unit_axis", "Ax1xBxE", "%z = gen.reshape %x?{ sizes(%A, %B)}? : $x -> $z"));
  rows.push_back(
      move("transpose", "", "BxAxE", "%z = gen.transpose %x permutation [1, 0] : $x -> $z"));
  // Contiguous axes that are short: taps of a weight as channels, and back.
  Row folded = move("transpose", "short_axes", "2x2x3x2x2xAxE",
                    "%z = gen.transpose %x permutation [2, 4, 1, 3, 5, 0] : $x -> $z");
  folded.arguments = {{"x", "Ax3x2x2x2x2xE"}};
  folded.sizes = {{32, 0, 0}, {5, 0, 0}, {37, 0, 0}};
  rows.push_back(folded);
  folded.variant = "short_axes_back";
  folded.arguments = {{"x", "2x2x3x2x2xAxE"}};
  folded.result = "Ax3x2x2x2x2xE";
  folded.body = "%z = gen.transpose %x permutation [5, 2, 3, 0, 4, 1] : $x -> $z";
  rows.push_back(folded);
  // Of images, however many, the channels come last.
  Row images = move("transpose", "images", "Ax21x5xE",
                    "%z = gen.transpose %x permutation [0, 2, 1] : $x -> $z");
  images.arguments = {{"x", "Ax5x21xE"}};
  images.sizes = {{3, 0, 0}, {0, 0, 0}, {70, 0, 0}};
  rows.push_back(images);
  // Their number last, and back, and between what changes places.
  images = move("transpose", "batch_last", "7x5xAxE",
                "%z = gen.transpose %x permutation [1, 2, 0] : $x -> $z");
  images.arguments = {{"x", "Ax7x5xE"}};
  images.sizes = {{5, 0, 0}, {16, 0, 0}, {0, 0, 0}, {40, 0, 0}};
  rows.push_back(images);
  images.variant = "batch_first";
  images.arguments = {{"x", "7x5xAxE"}};
  images.result = "Ax7x5xE";
  images.body = "%z = gen.transpose %x permutation [2, 0, 1] : $x -> $z";
  rows.push_back(images);
  images.variant = "batch_between";
  images.arguments = {{"x", "24xAx18xE"}};
  images.result = "18xAx24xE";
  images.body = "%z = gen.transpose %x permutation [2, 1, 0] : $x -> $z";
  rows.push_back(images);
  Row added = move("reshape", "added", "Ax6xE", R"(%r = gen.reshape %x?{ sizes(%A)}? : $x -> $y
  %z = gen.add %r, %y : ($y, $y) -> $z)");
  added.arguments = {{"x", "Ax2x3xE"}, {"y", "Ax6xE"}};
  added.elements = {"f32", "f64"};
  rows.push_back(added);
  rows.push_back(move("broadcast", "", "3xAxBxE",
                      "%z = gen.broadcast %x axes [1, 2]?{ sizes(%A, %B)}? : $x -> $z"));
  Row slice = move("slice", "", "2x3xE",
                   "%z = gen.slice %x starts [1, 2] limits [3, 8] strides [1, 2] : $x -> $z");
  slice.sizes = {{4, 16, 1}, {5, 37, 1}};
  slice.dynamic = false;
  rows.push_back(slice);
  Row inner = move("slice", "from_the_end", "A-2xB-3xE",
                   "%z = gen.slice %x starts [1, 2] limits [-1, -1] strides [1, 1] : $x -> $z");
  inner.sizes = slice.sizes;
  rows.push_back(inner);
  rows.push_back(move("broadcast", "columns", "AxBx3xE",
                      "%z = gen.broadcast %x axes [0, 1]?{ sizes(%A, %B)}? : $x -> $z"));
  rows.push_back(
      move("pad", "", "A+3xB+2xE",
           "%z = gen.pad %x value 5.0e-01 : $E low [1, 0] high [2, 2] interior [0, 0] : $x -> $z"));
  rows.back().elements = {"f32", "f64"};
  Row interior =
      move("pad", "interior", "A*2-1xB*3-1xE",
           "%z = gen.pad %x value 5.0e-01 : $E low [0, 0] high [0, 1] interior [1, 2] : $x -> $z");
  interior.elements = {"f32", "f64"};
  interior.dynamic = false;
  rows.push_back(interior);
  Row concat =
      move("concat", "", "Ax11xBxE", "%z = gen.concat %x, %y, %x axis 1 : ($x, $y, $x) -> $z");
  concat.arguments = {{"x", "Ax4xBxE", -9, 9}, {"y", "Ax3xBxE", -9, 9}};
  rows.push_back(concat);
  addJoinedParts(rows);
  rows.push_back({.op = "gen.iota",
                  .arguments = {{"x", "AxBxi1"}},
                  .body = "%z = gen.iota?{ sizes(%A, %B)}? axis 1 : $z",
                  .elements = {"f32", "f64", "i8", "i32", "i64"},
                  .differentiable = false});
  rows.push_back({.op = "gen.constant",
                  .arguments = {{"x", "2x3xE"}},
                  .result = "2x3xE",
                  .body = R"(%c = gen.constant dense<[[1.0, -2.0, 3.0], [0.5, 0.0, 7.0]]> : $x
  %z = gen.add %x, %c : ($x, $x) -> $z)",
                  .sizes = {{1, 1, 1}},
                  .dynamic = false});
}

static void addRandomAndState(std::vector<Row> &rows) {
  rows.push_back(random("random_bits", "", "AxBxi32", {"i32"}));
  rows.push_back(random("random_uniform", "", "AxBxE", {"f32", "f64"}));
  rows.push_back(random("random_normal", "", "AxBxE", {"f32", "f64"}));
  rows.push_back(random("random_bernoulli", " probability 0.25", "AxBxi1", {"i1"}));
  // Vectors that start anywhere in a block of four words.
  for (const char *op : {"random_uniform", "random_normal"}) {
    Row sliced = random(op, "", "5x34xE", {"f32"});
    sliced.variant = "sliced";
    sliced.types = {{"r", "5x37xE"}};
    sliced.body = std::string("%r = gen.") + op + R"( %key, %counter stream 7 : $r
  %z = gen.slice %r starts [0, 2] limits [5, 36] strides [1, 1] : $r -> $z)";
    sliced.sizes = {{1, 1, 1}};
    sliced.dynamic = false;
    rows.push_back(sliced);
  }

  Row state = {.op = "gen.variable",
               .arguments = {{"x", "2x3xE"}},
               .result = "2x3xE",
               .body = R"(%old = gen.read @state : $x
  %new = gen.add %old, %x : ($x, $x) -> $x
  gen.assign @state, %new : $x
  %z = gen.read @state : $x)",
               .module = "gen.variable @state : $x = dense<1.5> : $x\n",
               .elements = {"f32"},
               .sizes = {{1, 1, 1}},
               .dynamic = false,
               .differentiable = false};
  for (const char *op : {"gen.variable", "gen.read", "gen.assign"}) {
    state.op = op;
    rows.push_back(state);
  }
  rows.push_back({.op = "gen.gradient",
                  .arguments = {{"x", "AxBxE"}},
                  .body = R"(%cube_2 = gen.mul %x, %x : ($x, $x) -> $x
  %cube = gen.mul %cube_2, %x : ($x, $x) -> $x
  %sum = gen.reduce_sum %cube axes [0, 1] : $x -> tensor<$E>
  %z = gen.gradient %sum wrt %x : tensor<$E>, $x -> $x)"});
  Row kernel = {.op = "gen.kernel",
                .arguments = {{"x", "4x8xE"}},
                .result = "4x8xE",
                .body = "%z = gen.launch @doubled(%x) : ($x) -> $z",
                .module = R"(gen.kernel @doubled(%x: $x) -> ($x) family "pointwise" {
  %twice = gen.add %x, %x : ($x, $x) -> $x
  gen.yield %twice : $x
}
)",
                .elements = {"f32"},
                .sizes = {{1, 1, 1}},
                .dynamic = false,
                .differentiable = false,
                .compiled = false};
  for (const char *op : {"gen.kernel", "gen.launch", "gen.yield"}) {
    kernel.op = op;
    rows.push_back(kernel);
  }
}

const std::vector<Row> &optable::rows() {
  static const std::vector<Row> table = [] {
    std::vector<Row> rows;
    addElementwise(rows);
    addReductions(rows);
    addNormalization(rows);
    addMovements(rows);
    addRandomAndState(rows);
    addConvolutions(rows);
    addPooling(rows);
    addSequences(rows);
    addIndexing(rows);
    addAttention(rows);
    addWinograd(rows);
    return rows;
  }();
  return table;
}
