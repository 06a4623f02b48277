//===- EmitProgram.cpp - entries become launch programs -------------------===//
//
// In:   func.func @sample() -> tensor<64x784xf32> { %h = gen.launch @decode(...) {gen.places =
// [#gen.arena<0>]} ... } Out:  llvm.func @sample.run(services, arena, variables, arguments,
// results, dimensions)
//       llvm.func @sample.plan(dimensions, result_shapes) -> i64
//       and the tables of runtime/gen/artefact.h that describe them.
//
// A launch fills a frame on the stack with pointers and sizes and calls the runtime's `launch`.
// Nothing is allocated.
//
//===----------------------------------------------------------------------===//

#include "passes/ArtefactTables.h"
#include "passes/EntryProgram.h"
#include "passes/Passes.h"

#include "gen/artefact.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EMITPROGRAM
#include "passes/Passes.h.inc"

namespace {

int64_t dtypeOf(Type elementType) {
  if (elementType.isF32())
    return GEN_F32;
  if (elementType.isF64())
    return GEN_F64;
  switch (elementType.getIntOrFloatBitWidth()) {
  case 1:
    return GEN_I1;
  case 8:
    return GEN_I8;
  case 32:
    return GEN_I32;
  default:
    return GEN_I64;
  }
}

/// "file:line" of a location, or "".
std::string describe(Location location) {
  std::string text;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    text = (file.getFilename().getValue() + ":" + std::to_string(file.getLine())).str();
    return WalkResult::interrupt();
  });
  return text;
}

class TableWriter {
public:
  explicit TableWriter(ModuleOp module) : module(module), tables(module) {}

  /// A gen_tensor_info.
  Record tensor(StringRef name, RankedTensorType type, ArrayRef<int64_t> shape) {
    SmallVector<Record> axes;
    for (int64_t size : shape)
      axes.push_back({Field::i64(size)});
    std::string symbol = tables.records("gen.shape." + std::to_string(++count), axes);
    return {Field::address(tables.string(name)), Field::u32(dtypeOf(type.getElementType())),
            Field::u32(type.getRank()), Field::address(symbol)};
  }

  void variable(VariableOp op) {
    auto type = cast<RankedTensorType>(op.getType());
    Record record = tensor(op.getSymName(), type, type.getShape());
    std::optional<ElementsAttr> value = op.getValue();
    bool zero = !value || matchPattern(*value, m_AnyZeroFloat()) || matchPattern(*value, m_Zero());
    record.push_back(
        Field::address(zero ? "" : tables.data("gen.data." + std::to_string(++count), *value)));
    variables.push_back(std::move(record));
  }

  void kernel(KernelOp op) {
    tables.records((op.getSymName() + ".info").str(),
                   {{Field::address(tables.string(op.getSymName())),
                     Field::address(tables.string(describe(op.getLoc()))),
                     Field::address((op.getSymName() + ".task").str())}});
  }

  void entry(const EntryProgram &program) {
    func::FuncOp function = program.function;
    std::string prefix = "gen.entry." + function.getSymName().str();
    SmallVector<Record> arguments, results, dimensions;
    for (BlockArgument argument : function.getArguments()) {
      unsigned i = argument.getArgNumber();
      auto name = function.getArgAttrOfType<StringAttr>(i, kNameAttr);
      arguments.push_back(tensor(name ? name.getValue() : std::to_string(i),
                                 cast<RankedTensorType>(argument.getType()),
                                 program.argumentShape(argument)));
    }
    for (auto [i, type] : llvm::enumerate(function.getResultTypes())) {
      auto name = function.getResultAttrOfType<StringAttr>(i, kNameAttr);
      results.push_back(tensor(name ? name.getValue() : std::to_string(i),
                               cast<RankedTensorType>(type), program.resultShape(i)));
    }
    for (const std::string &name : program.dimensions)
      dimensions.push_back({Field::address(tables.string(name))});
    entries.push_back({Field::address(tables.string(function.getSymName())),
                       Field::u32(arguments.size()), Field::u32(results.size()),
                       Field::u32(dimensions.size()), Field::u32(0),
                       Field::address(tables.records(prefix + ".arguments", arguments)),
                       Field::address(tables.records(prefix + ".results", results)),
                       Field::address(tables.records(prefix + ".dimensions", dimensions)),
                       Field::address(program.planSymbol()), Field::address(program.runSymbol())});
  }

  void finish() {
    auto target = module->getAttrOfType<StringAttr>(kTargetAttr);
    auto features = module->getAttrOfType<IntegerAttr>(kFeaturesAttr);
    StringRef name = module.getSymName().value_or("model");
    Record header{Field::bytes(StringRef(GEN_ARTEFACT_MAGIC, 8)), Field::u32(GEN_ARTEFACT_VERSION),
                  Field::u32(features ? features.getInt() : 0)};
    tables.records("gen_artefact_header", {header}, /*exported=*/true, GEN_ARTEFACT_SECTION);
    Record root = header;
    root.append({Field::u32(sizeof(gen_artefact_info)), Field::u32(entries.size()),
                 Field::u32(variables.size()), Field::u32(0), Field::address(tables.string(name)),
                 Field::address(tables.string("gencc 0.1")),
                 Field::address(tables.string(target ? target.getValue() : "generic")),
                 Field::address(tables.records("gen.entries", entries)),
                 Field::address(tables.records("gen.variables", variables))});
    tables.records(GEN_ARTEFACT_SYMBOL, {root}, /*exported=*/true);
  }

private:
  ModuleOp module;
  ArtefactTables tables;
  SmallVector<Record> entries, variables;
  int64_t count = 0;
};

struct EmitProgram : impl::EmitProgramBase<EmitProgram> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    TableWriter writer(module);
    llvm::StringMap<int64_t> variableNumbers;
    for (auto variable : module.getOps<VariableOp>()) {
      variableNumbers[variable.getSymName()] = variableNumbers.size();
      writer.variable(variable);
    }
    for (auto kernel : module.getOps<KernelOp>())
      writer.kernel(kernel);
    for (auto function : llvm::to_vector(module.getOps<func::FuncOp>())) {
      if (function.isPublic()) {
        EntryProgram program(function, variableNumbers);
        program.emitPlan();
        program.emitRun();
        writer.entry(program);
      }
      function.erase();
    }
    writer.finish();
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<KernelOp, VariableOp>(op))
        op.erase();
  }
};

} // namespace
} // namespace mlir::gen
