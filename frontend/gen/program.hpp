//===- gen/program.hpp - programs, entries and variables --------*- C++ -*-===//
//
// A program is a model: variables, and entries (public functions) that read and assign them. The
// function given to `entry` runs once, while building, and records ops; a C++ loop in it is
// unrolled.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PROGRAM_HPP
#define GEN_PROGRAM_HPP

#include "gen/tensor.hpp"

#include <functional>
#include <utility>

namespace gen {

namespace detail {
struct ProgramState;
} // namespace detail

/// How a variable's value is drawn by the entry `init`. Random ones depend on the session's seed
/// and the variable's name only, so another layer more does not change them.
struct Initializer {
  enum class Kind { Constant, Uniform, Normal };
  Kind kind = Kind::Constant;
  double first = 0;  ///< the constant; the lower bound; the mean
  double second = 0; ///< the upper bound; the standard deviation

  static Initializer zeros() { return {}; }
  static Initializer ones() { return constant(1); }
  static Initializer constant(double value) { return {Kind::Constant, value, 0}; }
  static Initializer uniform(double low, double high) { return {Kind::Uniform, low, high}; }
  static Initializer normal(double mean, double deviation) {
    return {Kind::Normal, mean, deviation};
  }
};

/// A path under which variables are made: (program / "encoder" / 0).variable("weight", ...) is
/// "encoder.0.weight". Cheap to copy; refers to its program, which has to live.
class Scope {
public:
  Scope operator/(const std::string &child) const;
  Scope operator/(int64_t child) const { return *this / std::to_string(child); }
  /// "encoder.0"; empty for the program itself.
  const std::string &path() const { return prefix; }

  /// Makes a variable of a known shape. Its name must be new.
  Variable variable(const std::string &name, DType dtype, const Shape &shape,
                    Initializer initializer = {},
                    SourceLocation where = SourceLocation::current()) const;
  /// The same for state that is no parameter: no optimizer is to change it (running statistics).
  Variable buffer(const std::string &name, DType dtype, const Shape &shape,
                  Initializer initializer = {},
                  SourceLocation where = SourceLocation::current()) const;
  /// The variables below, in the order in which they were made.
  std::vector<Variable> variables() const;
  /// Those that an optimizer is to change: all but buffers.
  std::vector<Variable> parameters() const;

private:
  friend class Program;
  Scope(std::shared_ptr<detail::ProgramState> state, std::string prefix)
      : state(std::move(state)), prefix(std::move(prefix)) {}

  std::shared_ptr<detail::ProgramState> state;
  std::string prefix;
};

/// An argument of an entry.
struct Input {
  std::string name;
  DType dtype = f32;
  Shape shape;
  SourceLocation where;
};
Input input(std::string name, DType dtype, Shape shape,
            SourceLocation where = SourceLocation::current());

/// The named results of an entry: return result("mean", m).result("variance", v);
class EntryResults {
public:
  EntryResults() = default;
  EntryResults &&result(std::string name, Tensor value,
                        SourceLocation where = SourceLocation::current()) &&;

  struct Result {
    std::string name;
    Tensor value;
    SourceLocation where;
  };
  std::vector<Result> values;
};
EntryResults result(std::string name, Tensor value,
                    SourceLocation where = SourceLocation::current());

/// What an entry is for. Layers that behave differently in training ask the entry's mode.
enum class Mode {
  Inference,  ///< random numbers go on from call to call
  Training,   ///< the same; dropout drops, batch normalization normalizes by the batch
  Evaluation, ///< every call draws the same random numbers, and does not touch the session's
              ///< counter
};
inline constexpr Mode inference = Mode::Inference;
inline constexpr Mode training = Mode::Training;
inline constexpr Mode evaluation = Mode::Evaluation;

/// True while an entry in training mode is built.
bool isTraining();

/// A model under construction. Not for use by two threads at once.
class Program {
public:
  /// `name` is the name of the model (letters, digits, `_`).
  explicit Program(const std::string &name);
  ~Program();
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  const std::string &name() const;
  /// The scope of that name; `scope()` is the program's own.
  Scope operator/(const std::string &child) const { return scope() / child; }
  Scope scope() const;
  std::vector<Variable> variables() const { return scope().variables(); }
  /// A size that is known only when an entry is called.
  Dimension dimension(const std::string &name,
                      SourceLocation where = SourceLocation::current()) const;

  /// Makes an entry. `body` is called with one Tensor an input, and returns `result(...)` or
  /// nothing.
  template <typename Body>
  void entry(const std::string &name, const std::vector<Input> &inputs, Mode mode, Body &&body,
             SourceLocation where = SourceLocation::current()) {
    build(name, inputs, mode, arity<Body>(), erase(std::forward<Body>(body)), where);
  }
  template <typename Body>
    requires(!std::is_same_v<std::decay_t<Body>, Mode>)
  void entry(const std::string &name, const std::vector<Input> &inputs, Body &&body,
             SourceLocation where = SourceLocation::current()) {
    entry(name, inputs, Mode::Inference, std::forward<Body>(body), where);
  }

  /// The program as MLIR, which `gencc` compiles. `locations`: with the lines it was written at.
  std::string str(bool locations = false) const;
  /// Writes it, with locations, in one step: the file is whole or not there. Throws
  /// std::system_error.
  void write(const std::string &path) const;

  /// Opaque; for the compiler.
  const std::shared_ptr<detail::ProgramState> &handle() const { return state; }

private:
  using ErasedBody = std::function<EntryResults(const std::vector<Tensor> &)>;
  static constexpr size_t kMostInputs = 12;

  template <typename Body, size_t... I> static constexpr bool takes(std::index_sequence<I...>) {
    return std::is_invocable_v<Body, std::enable_if_t<(I + 1 > 0), const Tensor &>...>;
  }
  /// The number of tensors that `Body` takes.
  template <typename Body, size_t Count = 0> static constexpr size_t arity() {
    if constexpr (takes<Body>(std::make_index_sequence<Count>()))
      return Count;
    else if constexpr (Count < kMostInputs)
      return arity<Body, Count + 1>();
    else
      static_assert(Count < kMostInputs, "an entry's function takes one Tensor an input");
    return 0;
  }
  template <typename Body> static ErasedBody erase(Body &&body) {
    return [&body](const std::vector<Tensor> &tensors) {
      return call(body, tensors, std::make_index_sequence<arity<Body>()>());
    };
  }
  template <typename Body, size_t... I>
  static EntryResults call(Body &body, const std::vector<Tensor> &tensors,
                           std::index_sequence<I...>) {
    if constexpr (std::is_void_v<decltype(body(tensors[I]...))>) {
      body(tensors[I]...);
      return {};
    } else {
      return body(tensors[I]...);
    }
  }
  void build(const std::string &name, const std::vector<Input> &inputs, Mode mode, size_t arity,
             const ErasedBody &body, SourceLocation where);

  std::shared_ptr<detail::ProgramState> state;
};

} // namespace gen

#endif // GEN_PROGRAM_HPP
