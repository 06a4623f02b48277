// Programs of the builder run two ways, and the numbers that they share with frontend-oracle.py.
#ifndef GEN_TEST_UNIT_ORACLE_H
#define GEN_TEST_UNIT_ORACLE_H

#include "dialect/Interpreter.h"
#include "gen/builder.hpp"
#include "gen/compile.hpp"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <vector>

namespace gen::test {

/// Numbers in [0, 1), by number of the array and position of the element.
std::vector<float> uniformNumbers(uint32_t number, int64_t count);
/// Numbers in [-bound, bound).
std::vector<float> signedNumbers(uint32_t number, int64_t count, double bound = 1.0);

/// How many elements a shape of numbers has.
int64_t elementsOf(const Shape &shape);
/// A tensor that is known when the program is built.
Tensor known(const std::vector<float> &values, const Shape &shape);

/// An argument of a call.
struct Argument {
  Shape shape;
  std::vector<float> values;
};

/// One session of a program, of one kind or the other.
class Runner {
public:
  virtual ~Runner() = default;
  /// All elements of all results.
  virtual std::vector<double> call(const std::string &entry,
                                   const std::vector<Argument> &arguments) = 0;
  virtual void set(const Variable &variable, const std::vector<float> &values) = 0;
};

/// The program on the reference interpreter, after differentiation: double precision inside.
class Interpreted : public Runner {
public:
  explicit Interpreted(const Program &program);
  std::vector<double> call(const std::string &entry,
                           const std::vector<Argument> &arguments) override;
  void set(const Variable &variable, const std::vector<float> &values) override;

private:
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::optional<mlir::gen::Interpreter> interpreter;
};

/// The program, compiled.
class Compiled : public Runner {
public:
  explicit Compiled(const Program &program) : model(compile(program)), session(model) {}
  std::vector<double> call(const std::string &entry,
                           const std::vector<Argument> &arguments) override;
  void set(const Variable &variable, const std::vector<float> &values) override;

private:
  Model model;
  Session session;
};

/// Calls `check` with the program on the interpreter, then compiled.
void forBoth(const Program &program, const std::function<void(Runner &)> &check);

/// Expects equal numbers, to `relative` of the expected one (and `absolute` where that is near 0).
void expectClose(const std::vector<double> &actual, const std::vector<double> &expected,
                 double relative, double absolute = 1e-7);

/// Expects the elements of what `function` returns, then those of the gradient of their sum,
/// weighted by array 9, for each of `inputs`, which have the given values: in an entry in training
/// mode, interpreted and compiled.
void expectLikePyTorch(const std::vector<double> &expected, Program &program,
                       const std::vector<Variable> &inputs,
                       const std::vector<std::vector<float>> &values,
                       const std::function<Tensor()> &function);
/// The same of a function of some arrays.
void expectLikePyTorch(const std::vector<double> &expected, const std::vector<Argument> &arguments,
                       const std::function<Tensor(const std::vector<Variable> &)> &function);

} // namespace gen::test

#endif // GEN_TEST_UNIT_ORACLE_H
