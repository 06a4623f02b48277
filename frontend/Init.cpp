//===- Init.cpp - the entry that gives variables their initial values -----===//
//
// Each random variable draws from a stream of its own, a hash of its name: adding, removing or
// reordering layers changes no other variable's values.
//
//===----------------------------------------------------------------------===//

#include "Entry.h"

namespace gen::detail {

/// FNV-1a, with the highest bit set: entries number their streams from 0.
static int64_t streamOf(const std::string &name) {
  uint32_t hash = 2166136261U;
  for (unsigned char byte : name)
    hash = (hash ^ byte) * 16777619U;
  return hash | 0x80000000U;
}

namespace {
/// Emits initial values into `init`.
class InitialValues {
public:
  InitialValues(ProgramState &program, mlir::gen::GenBuilder &builder)
      : program(program), b(builder) {}

  mlir::Value emit(const Node &variable, Initializer initializer) {
    auto other = program.streams.find(variable.variable);
    int64_t stream = streamOf(other == program.streams.end() ? variable.variable : other->second);
    b.setLoc(program.locate(variable.where));
    mlir::RankedTensorType type = program.typeOf(variable.dtype, variable.shape);
    double first = initializer.first, second = initializer.second;
    switch (initializer.kind) {
    case Initializer::Kind::Constant:
      return constant(type, first);
    case Initializer::Kind::Uniform:
      return scaled(draw<mlir::gen::RandomUniformOp>(stream, type), second - first, first);
    case Initializer::Kind::Normal:
      return scaled(draw<mlir::gen::RandomNormalOp>(stream, type), second, first);
    }
    return {};
  }

private:
  mlir::Value constant(mlir::RankedTensorType type, double number) {
    return mlir::gen::ConstantOp::create(b, program.splat(type, number));
  }
  template <typename Op> mlir::Value draw(int64_t stream, mlir::RankedTensorType type) {
    mlir::RankedTensorType scalar = program.typeOf(i64, {});
    if (!key) {
      key = mlir::gen::ReadOp::create(b, scalar, kSeed);
      counter = constant(scalar, 0);
    }
    return Op::create(b, type, key, counter, mlir::ValueRange(), stream);
  }
  mlir::Value scaled(mlir::Value x, double factor, double offset) {
    return b.add(b.mul(x, b.scalar(factor, x)), b.scalar(offset, x));
  }

  ProgramState &program;
  mlir::gen::GenBuilder &b;
  mlir::Value key, counter;
};
} // namespace

void addInit(ProgramState &program, mlir::ModuleOp module) {
  if (program.variables.empty())
    return;
  mlir::gen::GenBuilder b(mlir::UnknownLoc::get(&program.context), &program.context);
  auto firstEntry = llvm::find_if(
      *module.getBody(), [](mlir::Operation &op) { return !mlir::isa<mlir::gen::VariableOp>(op); });
  b.setInsertionPoint(module.getBody(), firstEntry);
  auto init = mlir::func::FuncOp::create(b, "init", b.getFunctionType({}, {}));
  init.setPublic();
  b.setInsertionPointToStart(init.addEntryBlock());
  InitialValues values(program, b);
  for (const auto &variable : program.variables) {
    if (variable->variable == kSeed)
      continue; // the session's
    mlir::Value value = values.emit(*variable, program.initializers.at(variable->variable));
    mlir::gen::AssignOp::create(b, variable->variable, value);
  }
  mlir::func::ReturnOp::create(b);
}

} // namespace gen::detail
