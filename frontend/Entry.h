//===- Entry.h - a program and an entry being built -------------*- C++ -*-===//
//
// What stands behind Program and Tensor: the MLIR module, and the function into which the ops of
// the entry that is being built go. Internal to the frontend.
//
// State is threaded as values: the first use of a variable makes a `gen.read`, an assignment
// replaces the value that later uses see, and the end of the entry stores each assigned variable
// once.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_FRONTEND_ENTRY_H
#define GEN_FRONTEND_ENTRY_H

#include "gen/builder.hpp"

#include "dialect/Gen.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/MapVector.h"

#include <map>
#include <set>

namespace gen::detail {

/// What a Tensor refers to: a variable, a constant (`values`), or else a value of the entry
/// `entry`.
struct Node {
  DType dtype = f32;
  Shape shape;
  std::string text;
  SourceLocation where;
  uint64_t entry = 0;
  mlir::Value value = {};
  std::string variable = {};
  std::vector<double> values = {};
};

struct ProgramState {
  explicit ProgramState(const std::string &name);

  std::string name;
  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::shared_ptr<const Node>> variables; ///< in the order in which they were made
  std::map<std::string, Initializer> initializers;
  std::map<std::string, std::string> streams; ///< variables that start as another one does
  std::set<std::string> entries;
  std::set<std::string> buffers; ///< the variables that are not parameters

  Variable makeVariable(const std::string &name, DType dtype, const Shape &shape,
                        Initializer initializer, SourceLocation where);
  /// Throws if a variable or entry of that name exists, or `name` cannot be one.
  void checkName(const std::string &what, const std::string &name, SourceLocation where) const;
  /// The variable of that name, or null.
  std::shared_ptr<const Node> findVariable(const std::string &name) const;
  /// The module with `init`, verified: a copy, so that building may go on.
  mlir::OwningOpRef<mlir::ModuleOp> finish();
  mlir::Location locate(SourceLocation where);
  mlir::Type elementType(DType dtype);
  mlir::RankedTensorType typeOf(DType dtype, const Shape &shape);
  /// The attribute of a constant of which every element is `number`.
  mlir::DenseElementsAttr splat(mlir::RankedTensorType type, double number);
};

/// Adds the entry `init`, which gives every variable but the seed its initial value.
void addInit(ProgramState &program, mlir::ModuleOp module);

/// The session's seed, and the number of calls that have drawn random numbers.
inline constexpr const char *kSeed = "random.seed";
inline constexpr const char *kCounter = "random.counter";

/// The entry that is being built by this thread. Lives while its body runs.
class Entry {
public:
  Entry(ProgramState &program, const std::string &name, Mode mode, SourceLocation where);
  ~Entry();
  Entry(const Entry &) = delete;
  Entry &operator=(const Entry &) = delete;

  /// The one of this thread; throws if there is none. `what` needs it.
  static Entry &current(const char *what, SourceLocation where);
  static Entry *currentOrNull();

  /// Makes the arguments; a size named by a symbol is read from the first argument that has it.
  std::vector<Tensor> addInputs(const std::vector<Input> &inputs);
  /// Stores the assigned variables and ends the function.
  void finish(const EntryResults &results);

  /// Makes an op of one result.
  template <typename Op, typename... Args>
  Tensor emit(SourceLocation where, DType dtype, Shape shape, std::string text, Args &&...args) {
    mlir::RankedTensorType type = typeOf(dtype, shape);
    auto op = Op::create(builder, locate(where), type, std::forward<Args>(args)...);
    return wrap(op->getResult(0), dtype, std::move(shape), std::move(text), where);
  }

  /// The SSA value of a tensor in this entry.
  mlir::Value value(const Tensor &tensor, SourceLocation where);
  /// A handle to a value of this entry.
  Tensor wrap(mlir::Value value, DType dtype, Shape shape, std::string text, SourceLocation where);
  /// A size that symbols name, as an index value.
  mlir::Value size(const Dimension &dimension, SourceLocation where);
  /// The dynamic sizes of `shape` as index values.
  llvm::SmallVector<mlir::Value> sizes(const Shape &shape, SourceLocation where);
  mlir::RankedTensorType typeOf(DType dtype, const Shape &shape) {
    return program.typeOf(dtype, shape);
  }
  mlir::Location locate(SourceLocation where) { return program.locate(where); }
  /// A rank-0 constant.
  mlir::Value scalar(double number, DType dtype, SourceLocation where);

  void assign(const Variable &variable, const Tensor &value, SourceLocation where);
  /// From here on, `value` is what the variable is read as; the variable keeps its own.
  void substitute(const Variable &variable, const Tensor &value, SourceLocation where);

  /// From here on ops go into the loop's body, which is empty.
  void beginLoop(mlir::scf::ForOp loop);
  /// Ends it: stores the variables that the body has assigned, and yields.
  void endLoop(mlir::ValueRange yielded);

  struct Draw {
    mlir::Value key, counter;
    int64_t stream;
  };
  /// Key, counter and stream of the entry's next draw.
  Draw draw(SourceLocation where);

  /// The latest value whose last dimension is `last`, of that rank: what may have been meant; or
  /// null.
  std::shared_ptr<const Node> findByLastDimension(int64_t rank, const Dimension &last) const;

  ProgramState &program;
  const Mode mode;
  mlir::OpBuilder builder;

private:
  struct Assignment {
    mlir::Value value;
    SourceLocation where;
  };
  using Reads = std::map<std::string, mlir::Value>;
  using Assignments = llvm::MapVector<llvm::StringRef, Assignment>;
  /// A loop whose body is being recorded, and what was known before it.
  struct OpenLoop {
    mlir::scf::ForOp op;
    Reads reads;
    Assignments assigned;
    mlir::Value key, counter; ///< of the body's random numbers
  };

  mlir::Value read(const Node &variable, SourceLocation where);
  void storeAssigned(const Assignments &assignments);
  /// Makes the key and the counter of the function's random numbers, or of the body of a loop.
  void makeKey(SourceLocation where);
  void makeLoopKey(size_t number, SourceLocation where);
  mlir::Value symbolSize(const std::string &symbol, SourceLocation where);

  const uint64_t serial;
  std::string name;
  SourceLocation made;
  mlir::func::FuncOp function;
  Reads reads; ///< in the body being recorded, as the assigned ones
  Assignments assigned;
  std::vector<OpenLoop> loops; ///< from the outermost to that being recorded
  std::map<std::string, mlir::Value> symbolSizes;
  std::map<std::string, std::pair<mlir::Value, int64_t>> symbolSources;
  std::vector<std::shared_ptr<const Node>> nodes; ///< all values made
  mlir::Value key, counter;
  int64_t streams = 0;
  bool finished = false;
};

} // namespace gen::detail

#endif // GEN_FRONTEND_ENTRY_H
