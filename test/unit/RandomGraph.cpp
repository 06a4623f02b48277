//===- RandomGraph.cpp - models made by chance ----------------------------===//

#include "RandomGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <random>

using namespace optable;

namespace {

using Dims = std::vector<std::string>;

/// A tensor of the graph: its name without %, its sizes as in type patterns, and what its elements
/// stay below, roughly.
struct Value {
  std::string name;
  Dims dims;
  double bound;
  bool used = false;
};

/// The largest bound that ops with steep derivatives take.
constexpr double kTame = 3, kLarge = 30;

class GraphMaker {
public:
  explicit GraphMaker(unsigned seed) : random(seed) {
    row = {.op = "gen.graph",
           .variant = std::to_string(seed),
           .elements = {chance(2) ? "f32" : "f64"}};
    static const std::vector<int64_t> lengths = {3, 4, 5, 7, 16, 17, 33, 65};
    row.sizes.clear();
    for (int i = 0; i < 2; ++i)
      row.sizes.push_back({pick(lengths), pick(lengths), pick(lengths)});
  }

  Row make() {
    addArguments();
    bool state = chance(3);
    if (state)
      readState();
    for (unsigned steps = 4 + below(14); steps > 0; --steps)
      addOp();
    if (state)
      assignState();
    finish();
    return row;
  }

private:
  //===--------------------------------------------------------------------===//
  // Chance: not the standard library's distributions, which differ between libraries
  //===--------------------------------------------------------------------===//

  unsigned below(size_t count) { return static_cast<unsigned>(random() % count); }
  bool chance(unsigned oneIn) { return below(oneIn) == 0; }
  template <typename T> const T &pick(const std::vector<T> &from) {
    return from[below(from.size())];
  }

  /// A value that passes `test`, recent ones more often; null if there is none.
  Value *pickValue(llvm::function_ref<bool(const Value &)> test) {
    std::vector<Value *> fits;
    for (Value &value : values)
      if (test(value))
        fits.push_back(&value);
    if (fits.empty())
      return nullptr;
    size_t from = chance(2) ? fits.size() - std::min<size_t>(3, fits.size()) : 0;
    Value *value = fits[from + below(fits.size() - from)];
    value->used = true;
    return value;
  }

  //===--------------------------------------------------------------------===//
  // Text
  //===--------------------------------------------------------------------===//

  static std::string pattern(const Dims &dims) {
    return llvm::join(dims, "x") + (dims.empty() ? "E" : "xE");
  }
  static bool isLetter(const std::string &dim) { return dim == "A" || dim == "B" || dim == "C"; }
  static bool isNumber(const std::string &dim) {
    return dim.find_first_not_of("0123456789") == std::string::npos;
  }
  static bool isSimple(const Dims &dims) {
    return llvm::all_of(dims, [](const std::string &d) { return isLetter(d) || isNumber(d); });
  }

  /// A name that is no prefix of another, with its type.
  std::string newName(const Dims &dims) {
    std::string name = llvm::formatv("v{0,0+3}", next++).str();
    row.types.push_back({name, pattern(dims)});
    return name;
  }
  void line(const std::string &text) { row.body += (row.body.empty() ? "" : "\n  ") + text; }

  /// %name = gen.`code` : the value of an op; $R in the code is the result's type.
  Value define(std::string code, const Dims &dims, double bound) {
    std::string name = newName(dims);
    for (size_t at; (at = code.find("$R")) != std::string::npos;)
      code.replace(at, 2, "$" + name);
    line("%" + name + " = gen." + code);
    return {name, dims, bound};
  }
  void add(const std::string &code, const Dims &dims, double bound) {
    values.push_back(define(code, dims, bound));
  }
  Value unary(const std::string &op, const Value &x, double bound) {
    return define(op + " %" + x.name + " : $R", x.dims, bound);
  }
  Value binary(const std::string &op, const Value &x, const Value &y, double bound) {
    return define(llvm::formatv("{0} %{1}, %{2} : (${1}, ${2}) -> $R", op, x.name, y.name).str(),
                  *broadcastDims(x.dims, y.dims), bound);
  }
  Value constant(double number) {
    return define(llvm::formatv("constant dense<{0:e}> : $R", number).str(), {}, number);
  }
  /// " sizes(%A, ...)" of the dynamic sizes, in the dynamic function only.
  static std::string sizes(const Dims &dims) {
    std::vector<std::string> names;
    for (const std::string &dim : dims)
      if (isLetter(dim))
        names.push_back("%" + dim);
    return names.empty() ? "" : "?{ sizes(" + llvm::join(names, ", ") + ")}?";
  }
  static std::string list(const std::vector<int64_t> &numbers) {
    return "[" +
           llvm::join(llvm::map_range(numbers, [](int64_t n) { return std::to_string(n); }), ", ") +
           "]";
  }

  /// The shape of an elementwise op on two values; none if they do not broadcast.
  static std::optional<Dims> broadcastDims(const Dims &x, const Dims &y) {
    Dims result(std::max(x.size(), y.size()));
    for (size_t back = 1; back <= result.size(); ++back) {
      std::string one = back <= x.size() ? x[x.size() - back] : "1";
      std::string other = back <= y.size() ? y[y.size() - back] : "1";
      if (one != other && one != "1" && other != "1")
        return std::nullopt;
      result[result.size() - back] = one == "1" ? other : one;
    }
    return result;
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  void addArguments() {
    auto argument = [&](const Dims &dims) {
      std::string name = llvm::formatv("v{0,0+3}", next++).str();
      row.arguments.push_back({name, pattern(dims)});
      values.push_back({name, dims, 2});
    };
    argument({"A", "B"});
    argument({"B", "C"});
    static const std::vector<Dims> more = {{},         {"B"},      {"C"},          {"A", "1"},
                                           {"A", "C"}, {"4", "A"}, {"A", "3", "B"}};
    for (unsigned count = below(3); count > 0; --count)
      argument(pick(more));
    row.arguments.push_back({"key", "i64", -1e9, 1e9});
    row.arguments.push_back({"counter", "i64", 0, 9});
  }

  void addOp() {
    using Make = void (GraphMaker::*)();
    static const std::vector<Make> makers = {
        &GraphMaker::addUnary,   &GraphMaker::addUnary,     &GraphMaker::addBinary,
        &GraphMaker::addBinary,  &GraphMaker::addBinary,    &GraphMaker::addReduction,
        &GraphMaker::addMatmul,  &GraphMaker::addMatmul,    &GraphMaker::addSelect,
        &GraphMaker::addReshape, &GraphMaker::addTranspose, &GraphMaker::addBroadcast,
        &GraphMaker::addSlice,   &GraphMaker::addPad,       &GraphMaker::addConcat,
        &GraphMaker::addSource,  &GraphMaker::addLoss};
    (this->*pick(makers))();
  }

  void addUnary() {
    Value x = *pickValue([](const Value &) { return true; });
    if (x.bound > kLarge) {
      values.push_back(chance(2) ? unary("tanh", x, 1)
                                 : binary("mul", x, constant(1 / x.bound), 1));
      return;
    }
    static const std::vector<std::string> any = {"neg",  "abs",     "relu", "sin",          "cos",
                                                 "tanh", "sigmoid", "erf",  "stop_gradient"};
    static const std::vector<std::string> tame = {"exp", "log", "sqrt", "rsqrt", "log1p", "pow"};
    if (x.bound > kTame || !chance(3)) {
      const std::string &op = pick(any);
      bool keeps = op == "neg" || op == "abs" || op == "relu" || op == "stop_gradient";
      values.push_back(unary(op, x, keeps ? x.bound : 1));
      return;
    }
    const std::string &op = pick(tame);
    if (op == "exp")
      return values.push_back(unary(op, x, std::exp(x.bound)));
    // The others want positive numbers: x^2 + 1/2.
    Value square = binary("mul", x, x, x.bound * x.bound);
    Value positive = binary("add", square, constant(0.5), square.bound + 1);
    values.push_back(op == "pow" ? binary(op, positive, constant(0.75), positive.bound)
                                 : unary(op, positive, std::max(2.0, positive.bound)));
  }

  void addBinary() {
    Value x = *pickValue([](const Value &) { return true; });
    Value y = *pickValue([&](const Value &value) { // x itself, if nothing else
      return broadcastDims(x.dims, value.dims).has_value();
    });
    if (chance(2))
      std::swap(x, y);
    static const std::vector<std::string> ops = {"add", "sub", "max", "min", "mul", "div"};
    std::string op = pick(ops);
    if (op == "div") { // by y^2 + 1
      Value square = binary("mul", y, y, y.bound * y.bound);
      return values.push_back(
          binary(op, x, binary("add", square, constant(1), square.bound + 1), x.bound));
    }
    if (op == "mul" && x.bound * y.bound > 1000)
      op = "max";
    values.push_back(binary(op, x, y, op == "mul" ? x.bound * y.bound : x.bound + y.bound));
  }

  void addReduction() {
    Value *x = pickValue([](const Value &value) { return !value.dims.empty(); });
    std::vector<int64_t> axes;
    Dims kept;
    for (size_t axis = 0; axis < x->dims.size(); ++axis)
      if (chance(2))
        axes.push_back(static_cast<int64_t>(axis));
      else
        kept.push_back(x->dims[axis]);
    if (axes.empty()) {
      axes.push_back(static_cast<int64_t>(x->dims.size()) - 1);
      kept.pop_back();
    }
    static const std::vector<std::string> ops = {"reduce_sum", "reduce_mean", "reduce_max",
                                                 "reduce_min"};
    const std::string &op = pick(ops);
    add(llvm::formatv("{0} %{1} axes {2} : ${1} -> $R", op, x->name, list(axes)).str(), kept,
        op == "reduce_sum" ? x->bound * 16 : x->bound);
  }

  void addMatmul() {
    Value *x = pickValue(
        [](const Value &value) { return value.dims.size() == 2 && value.bound < kLarge; });
    if (!x)
      return;
    bool transposed = chance(3);
    const std::string &inner = x->dims[transposed ? 0 : 1];
    Value *y = pickValue([&](const Value &value) {
      return value.dims.size() == 2 && value.bound < kLarge &&
             llvm::is_contained(value.dims, inner);
    });
    if (!y)
      return;
    bool yTransposed = y->dims[0] != inner;
    add(llvm::formatv("matmul %{0}{1}, %{2}{3} : (${0}, ${2}) -> $R", x->name,
                      transposed ? " transposed" : "", y->name, yTransposed ? " transposed" : "")
            .str(),
        {x->dims[transposed ? 1 : 0], y->dims[yTransposed ? 0 : 1]}, x->bound * y->bound * 16);
  }

  void addSelect() {
    Value x = *pickValue([](const Value &) { return true; });
    Value y = *pickValue(
        [&](const Value &value) { return broadcastDims(x.dims, value.dims).has_value(); });
    Dims dims = *broadcastDims(x.dims, y.dims);
    std::string name = newName(dims);
    Argument &type = row.types.back();
    type.type = type.type.substr(0, type.type.size() - 1) + "i1";
    static const std::vector<std::string> predicates = {"lt", "le", "gt", "ge"};
    line(llvm::formatv("%{0} = gen.compare {1} %{2}, %{3} : (${2}, ${3}) -> ${0}", name,
                       pick(predicates), x.name, y.name));
    if (chance(3))
      return add(llvm::formatv("cast %{0} : ${0} -> $R", name).str(), dims, 1);
    add(llvm::formatv("select %{0}, %{1}, %{2} : (${0}, ${1}, ${2}) -> $R", name, x.name, y.name)
            .str(),
        dims, std::max(x.bound, y.bound));
  }

  void addReshape() {
    Value *x = pickValue([](const Value &value) { return isSimple(value.dims); });
    if (!x)
      return;
    Dims dims = x->dims;
    bool flat = dims.size() >= 2 && isLetter(dims[0]) && isLetter(dims[1]) && chance(2);
    if (!flat) {
      dims.insert(dims.begin() + below(dims.size() + 1), "1");
      return add("reshape %" + x->name + sizes(dims) + " : $" + x->name + " -> $R", dims, x->bound);
    }
    std::string count = llvm::formatv("n{0}", next++).str();
    line("?{%" + count + " = arith.muli %" + dims[0] + ", %" + dims[1] + " : index\n  }?");
    std::vector<std::string> names = {"%" + count};
    for (const std::string &dim : llvm::drop_begin(dims, 2))
      if (isLetter(dim))
        names.push_back("%" + dim);
    dims[1] = dims[0] + "*" + dims[1];
    dims.erase(dims.begin());
    add("reshape %" + x->name + "?{ sizes(" + llvm::join(names, ", ") + ")}? : $" + x->name +
            " -> $R",
        dims, x->bound);
  }

  void addTranspose() {
    Value *x = pickValue([](const Value &value) { return value.dims.size() >= 2; });
    if (!x)
      return;
    std::vector<int64_t> order(x->dims.size());
    for (size_t axis = 0; axis < order.size(); ++axis) {
      order[axis] = static_cast<int64_t>(axis);
      std::swap(order[axis], order[below(axis + 1)]);
    }
    Dims dims;
    for (int64_t axis : order)
      dims.push_back(x->dims[axis]);
    add(llvm::formatv("transpose %{0} permutation {1} : ${0} -> $R", x->name, list(order)).str(),
        dims, x->bound);
  }

  void addBroadcast() {
    Value *x =
        pickValue([](const Value &value) { return isSimple(value.dims) && value.dims.size() < 4; });
    if (!x)
      return;
    static const std::vector<std::string> lengths = {"A", "B", "C", "3", "1"};
    Dims dims = x->dims;
    for (std::string &dim : dims)
      if (dim == "1")
        dim = pick(lengths);
    size_t place = below(dims.size() + 1);
    dims.insert(dims.begin() + place, pick(lengths));
    std::vector<int64_t> axes;
    for (size_t axis = 0; axis < dims.size(); ++axis)
      if (axis != place)
        axes.push_back(static_cast<int64_t>(axis));
    add(llvm::formatv("broadcast %{0} axes {1}{2} : ${0} -> $R", x->name, list(axes), sizes(dims))
            .str(),
        dims, x->bound);
  }

  void addSlice() {
    Value *x =
        pickValue([](const Value &value) { return isSimple(value.dims) && !value.dims.empty(); });
    if (!x)
      return;
    std::vector<int64_t> starts, limits, strides;
    Dims dims;
    for (const std::string &dim : x->dims) {
      int64_t length = isNumber(dim) ? std::stoll(dim) : 3; // at least
      int64_t start = length > 1 ? below(2) : 0, end = length > 2 ? below(2) : 0;
      int64_t stride = isNumber(dim) && chance(2) ? 2 : 1;
      starts.push_back(start);
      limits.push_back(-end);
      strides.push_back(stride);
      if (isNumber(dim))
        dims.push_back(std::to_string((length - start - end + stride - 1) / stride));
      else
        dims.push_back(start + end ? dim + "-" + std::to_string(start + end) : dim);
    }
    add(llvm::formatv("slice %{0} starts {1} limits {2} strides {3} : ${0} -> $R", x->name,
                      list(starts), list(limits), list(strides))
            .str(),
        dims, x->bound);
  }

  void addPad() {
    Value *x =
        pickValue([](const Value &value) { return isSimple(value.dims) && !value.dims.empty(); });
    if (!x)
      return;
    std::vector<int64_t> low, high, interior;
    Dims dims;
    for (const std::string &dim : x->dims) {
      low.push_back(below(3));
      high.push_back(below(3));
      interior.push_back(isNumber(dim) ? below(2) : 0);
      int64_t more = low.back() + high.back();
      if (isNumber(dim)) {
        int64_t length = std::stoll(dim);
        dims.push_back(std::to_string(length + more + interior.back() * (length - 1)));
      } else {
        dims.push_back(more ? dim + "+" + std::to_string(more) : dim);
      }
    }
    add(llvm::formatv("pad %{0} value 5.0e-01 : $E low {1} high {2} interior {3} : ${0} -> $R",
                      x->name, list(low), list(high), list(interior))
            .str(),
        dims, std::max(x->bound, 0.5));
  }

  void addConcat() {
    Value *x = pickValue([](const Value &value) { return llvm::any_of(value.dims, isNumber); });
    if (!x)
      return;
    size_t axis = 0;
    while (!isNumber(x->dims[axis]))
      ++axis;
    Value *y = pickValue([&](const Value &value) { // x itself, if nothing else
      if (value.dims.size() != x->dims.size() || !isNumber(value.dims[axis]))
        return false;
      for (size_t other = 0; other < value.dims.size(); ++other)
        if (other != axis && value.dims[other] != x->dims[other])
          return false;
      return true;
    });
    Dims dims = x->dims;
    dims[axis] = std::to_string(std::stoll(x->dims[axis]) + std::stoll(y->dims[axis]));
    add(llvm::formatv("concat %{0}, %{1} axis {2} : (${0}, ${1}) -> $R", x->name, y->name, axis)
            .str(),
        dims, std::max(x->bound, y->bound));
  }

  /// Numbers out of nothing: random ones, or positions.
  void addSource() {
    static const std::vector<Dims> shapes = {{"A", "B"}, {"B"}, {"A", "1"}, {"3", "C"}, {"C", "A"}};
    const Dims &dims = pick(shapes);
    if (chance(3)) {
      std::string axis = std::to_string(below(dims.size()));
      Value iota = define("iota" + sizes(dims) + " axis " + axis + " : $R", dims, 65);
      return values.push_back(binary("mul", iota, constant(0.0625), 4));
    }
    std::string op = chance(2) ? "random_uniform" : "random_normal";
    add(llvm::formatv("{0} %key, %counter stream {1}{2} : $R", op, next, sizes(dims)).str(), dims,
        op == "random_normal" ? 5 : 1);
  }

  void addLoss() {
    Value x = *pickValue([](const Value &) { return true; });
    Value *y = pickValue([&](const Value &value) { return value.dims == x.dims; });
    values.push_back(binary("bce_with_logits", x, unary("sigmoid", *y, 1), x.bound + 1));
  }

  //===--------------------------------------------------------------------===//
  // State, and the end
  //===--------------------------------------------------------------------===//

  void readState() {
    row.module = "gen.variable @state : tensor<$E> = dense<0.5> : tensor<$E>\n";
    add("read @state : $R", {}, 1);
  }

  Value mean(const Value &x) {
    std::vector<int64_t> axes(x.dims.size());
    for (size_t axis = 0; axis < axes.size(); ++axis)
      axes[axis] = static_cast<int64_t>(axis);
    return define(llvm::formatv("reduce_mean %{0} axes {1} : ${0} -> $R", x.name, list(axes)).str(),
                  {}, x.bound);
  }

  /// Reads before and after see the old value and the new one.
  void assignState() {
    Value *x = pickValue([](const Value &) { return true; });
    Value next = unary("tanh", mean(*x), 1);
    line("gen.assign @state, %" + next.name + " : $" + next.name);
    if (chance(2))
      add("read @state : $R", {}, 1);
  }

  /// %z is a late value of some rank, plus the means of what nobody has used. Its sizes have names,
  /// so that the weights of the gradient's sum can have them too.
  void finish() {
    Value last =
        *pickValue([](const Value &value) { return isSimple(value.dims) && !value.dims.empty(); });
    last.used = true;
    std::vector<Value> loose;
    for (const Value &value : values)
      if (!value.used && value.name != last.name)
        loose.push_back(value);
    for (const Value &value : loose)
      last = binary("add", last, value.dims.empty() ? value : mean(value), last.bound);
    row.result = pattern(last.dims);
    Value zero = constant(0);
    line(llvm::formatv("%z = gen.add %{0}, %{1} : (${0}, ${1}) -> $z", last.name, zero.name));
  }

  std::mt19937 random;
  Row row;
  std::vector<Value> values;
  unsigned next = 0;
};

} // namespace

Row optable::randomGraph(unsigned seed) { return GraphMaker(seed).make(); }
