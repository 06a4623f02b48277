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
#include "passes/DType.h"
#include "passes/DeviceCode.h"
#include "passes/EntryProgram.h"
#include "passes/LibraryTables.h"
#include "passes/PackedWeights.h"
#include "passes/Passes.h"

#include "gen/artefact.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::gen {
#define GEN_PASS_DEF_EMITPROGRAM
#include "passes/Passes.h.inc"

namespace {

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
  TableWriter(ModuleOp module, const llvm::StringMap<int64_t> &variableNumbers)
      : module(module), tables(module), variableNumbers(variableNumbers) {}

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
    record.push_back(Field::address(zero ? "" : tables.data(*value)));
    variables.push_back(std::move(record));
  }

  /// Data of a constant that kernels read from memory.
  void constant(ConstantOp op) {
    std::string symbol = tables.data(cast<ElementsAttr>(op.getValue()));
    op->setAttr(kDataAttr, FlatSymbolRefAttr::get(op.getContext(), symbol));
  }

  void kernel(KernelOp op) {
    Record record{Field::address(tables.string(op.getSymName())),
                  Field::address(tables.string(describe(op.getLoc())))};
    Block &body = op.getBody().front();
    if (isForDevice(module))
      record.append({Field::address(""), Field::address(tables.string(deviceFunctionName(op))),
                     Field::u32(body.getNumArguments() + body.getTerminator()->getNumOperands()),
                     number(op, kAmpere.threads), number(op, kAmpere.shared),
                     Field::u32(body.getTerminator()->getNumOperands()),
                     Field::address(hopperKernel(op)),
                     Field::address(libraryProductTable(op, tables)),
                     Field::address(libraryConvolutionTable(op, tables)),
                     Field::address((op.getSymName() + kBytes).str())});
    else
      record.push_back(Field::address((op.getSymName() + ".task").str()));
    tables.records((op.getSymName() + ".info").str(), {record});
  }

  /// The symbol of a gen_device_hopper_info, or "".
  std::string hopperKernel(KernelOp op) {
    if (!op->hasAttr(kHopper.threads))
      return "";
    std::string tensors = (op.getSymName() + kHopper.tensors).str();
    return tables.records((op.getSymName() + ".hopper").str(),
                          {{Field::address((op.getSymName() + kHopper.blocks).str()),
                            number(op, kHopper.threads), number(op, kHopper.shared),
                            Field::address(module.lookupSymbol(tensors) ? tensors : "")}});
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
    addVariables(entries.back(), function, prefix);
  }

  /// A gen_packed_info: `function` fills a packed copy of a variable, `inverse` (if there is one)
  /// the variable from the copy; `run` and `back` are their programs.
  void packed(func::FuncOp function, const std::string &run, func::FuncOp inverse,
              const std::string &back) {
    auto source = function->getAttrOfType<FlatSymbolRefAttr>(kPacksAttr);
    auto type = cast<RankedTensorType>((*function.getOps<AssignOp>().begin()).getValue().getType());
    int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    int64_t arenaBytes = std::max(arenaOf(function), inverse ? arenaOf(inverse) : 0);
    packedNumbers[function.getSymName()] = packedCopies.size();
    for (auto assign : function.getOps<AssignOp>())
      sources[assign.getVariable()] = source.getValue();
    packedCopies.push_back({Field::u32(variableNumbers.lookup(source.getValue())), Field::u32(0),
                            Field::i64(bytes), Field::address(run), Field::address(back),
                            Field::i64(arenaBytes)});
  }

  void finish() {
    auto target = module->getAttrOfType<StringAttr>(kTargetAttr);
    auto features = module->getAttrOfType<IntegerAttr>(kFeaturesAttr);
    auto symbol = module->getAttrOfType<StringAttr>(kSymbolAttr);
    auto variant = module->getAttrOfType<StringAttr>(kVariantAttr);
    StringRef name = module.getSymName().value_or("model");
    Record header{Field::bytes(StringRef(GEN_ARTEFACT_MAGIC, 8)), Field::u32(GEN_ARTEFACT_VERSION),
                  Field::u32(features ? features.getInt() : 0)};
    // Objects are linked with others, which have a header too.
    if (!variant)
      tables.records("gen_artefact_header", {header},
                     symbol ? ArtefactTables::Local : ArtefactTables::Exported,
                     GEN_ARTEFACT_SECTION);
    Record root = header;
    root.append({Field::u32(isForDevice(module) ? sizeof(gen_device_artefact_info)
                                                : sizeof(gen_artefact_info)),
                 Field::u32(entries.size()), Field::u32(variables.size()),
                 Field::u32(packedCopies.size()), Field::address(tables.string(name)),
                 Field::address(tables.string("gencc 0.1")),
                 Field::address(tables.string(target ? target.getValue() : "generic")),
                 Field::address(tables.records("gen.entries", entries)),
                 Field::address(tables.records("gen.variables", variables)),
                 Field::address(tables.records("gen.packed", packedCopies))});
    SmallVector<Record> variants = declareVariants();
    root.append({Field::u32(variants.size()), Field::u32(0),
                 Field::address(tables.records("gen.variants", variants))});
    if (isForDevice(module)) // the compiler defines images when it has the code
      for (const DeviceNames *names : {&kAmpere, &kHopper}) {
        bool isThere = module.lookupSymbol(names->module) != nullptr;
        if (isThere)
          tables.declare(names->image);
        root.push_back(Field::address(isThere ? names->image : ""));
      }
    if (variant)
      tables.records(variant.getValue(), {root}, ArtefactTables::Linked);
    else
      tables.records(symbol ? symbol.getValue() : StringRef(GEN_ARTEFACT_SYMBOL), {root},
                     ArtefactTables::Exported);
  }

private:
  static Field number(Operation *op, StringRef attribute) {
    return Field::u32(op->getAttrOfType<IntegerAttr>(attribute).getInt());
  }

  static int64_t arenaOf(func::FuncOp function) {
    auto bytes = function->getAttrOfType<IntegerAttr>(kArenaBytesAttr);
    return bytes ? bytes.getInt() : 0;
  }

  /// The roots of the same model for higher instruction sets, in other objects.
  SmallVector<Record> declareVariants() {
    SmallVector<Record> variants;
    if (auto symbols = module->getAttrOfType<ArrayAttr>(kVariantsAttr))
      for (auto symbol : symbols.getAsRange<StringAttr>()) {
        tables.declare(symbol.getValue());
        variants.push_back({Field::address(symbol.getValue())});
      }
    return variants;
  }

  /// What an entry changes, itself or its copy, and which packed copies it reads.
  void addVariables(Record &record, func::FuncOp function, const std::string &prefix) {
    SmallVector<Record> written, packed;
    for (auto assign : function.getOps<AssignOp>()) {
      StringRef name = assign.getVariable();
      auto source = sources.find(name);
      name = source == sources.end() ? name : source->second;
      written.push_back({Field::u32(variableNumbers.lookup(name))});
    }
    for (auto call : function.getOps<func::CallOp>())
      if (!restoresVariable(call))
        packed.push_back({Field::u32(packedNumbers.at(call.getCallee()))});
    record.append({Field::u32(written.size()), Field::u32(packed.size()),
                   Field::address(tables.records(prefix + ".written", written)),
                   Field::address(tables.records(prefix + ".packed", packed))});
  }

  ModuleOp module;
  ArtefactTables tables;
  const llvm::StringMap<int64_t> &variableNumbers;
  llvm::StringMap<int64_t> packedNumbers;
  llvm::StringMap<StringRef> sources; ///< Of packed copies, by their names: the variables.
  SmallVector<Record> entries, variables, packedCopies;
  int64_t count = 0;
};

/// Packed copies follow the variables of the model, in the order of the functions that fill them.
llvm::StringMap<int64_t> numberVariables(ModuleOp module, ArrayRef<func::FuncOp> packers) {
  llvm::StringMap<int64_t> numbers;
  llvm::StringSet<> packed;
  for (func::FuncOp function : packers)
    for (auto assign : function.getOps<AssignOp>())
      packed.insert(assign.getVariable());
  for (auto variable : module.getOps<VariableOp>())
    if (!packed.contains(variable.getSymName()))
      numbers[variable.getSymName()] = numbers.size();
  for (func::FuncOp function : packers)
    for (auto assign : function.getOps<AssignOp>())
      numbers[assign.getVariable()] = numbers.size();
  return numbers;
}

/// The programs that make variables and their packed copies of one another.
class Movements {
public:
  explicit Movements(const llvm::StringMap<int64_t> &variableNumbers)
      : variableNumbers(variableNumbers) {}

  /// The symbol of the program of `function`. Variables of one type share it.
  std::string emit(func::FuncOp function) {
    StringRef kernel = onlyKernel(function);
    if (kernel.empty() || !isBetweenVariableAndCopy(function))
      return emitOwn(function);
    std::string &symbol = shared[kernel];
    if (symbol.empty())
      symbol = emitOwn(function);
    return symbol;
  }

private:
  std::string emitOwn(func::FuncOp function) {
    EntryProgram program(function, variableNumbers);
    if (isBetweenVariableAndCopy(function)) {
      program.takeAsArgument((*function.getOps<ReadOp>().begin()).getVariable());
      program.giveAsResult((*function.getOps<AssignOp>().begin()).getVariable());
    }
    program.emitRun();
    return program.runSymbol();
  }

  /// A copy may be made of another copy, which is among the variables.
  static bool isBetweenVariableAndCopy(func::FuncOp function) {
    auto variable = function->getAttrOfType<FlatSymbolRefAttr>(kPacksAttr);
    return !variable || (*function.getOps<ReadOp>().begin()).getVariableAttr() == variable;
  }

  /// The kernel that is launched, if there is one launch: it makes what is assigned of what is
  /// read.
  static StringRef onlyKernel(func::FuncOp function) {
    auto launches = llvm::to_vector(function.getOps<LaunchOp>());
    return launches.size() == 1 && launches.front()->getNumOperands() == 1
               ? launches.front().getKernel()
               : StringRef();
  }

  const llvm::StringMap<int64_t> &variableNumbers;
  llvm::StringMap<std::string> shared; ///< By the only kernel that they launch.
};

struct EmitProgram : impl::EmitProgramBase<EmitProgram> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<func::FuncOp> packers, entries, functions(module.getOps<func::FuncOp>());
    llvm::StringMap<func::FuncOp> unpackers; // by the names of the packers
    for (func::FuncOp function : functions)
      if (auto packer = function->getAttrOfType<FlatSymbolRefAttr>(kUnpacksAttr))
        unpackers[packer.getValue()] = function;
      else if (function->hasAttr(kPacksAttr))
        packers.push_back(function);
      else if (function.isPublic())
        entries.push_back(function);
    llvm::StringMap<int64_t> variableNumbers = numberVariables(module, packers);
    TableWriter writer(module, variableNumbers);
    int64_t ownVariables = variableNumbers.size() - packers.size();
    for (auto variable : module.getOps<VariableOp>())
      if (variableNumbers.lookup(variable.getSymName()) < ownVariables)
        writer.variable(variable);
    for (auto kernel : module.getOps<KernelOp>())
      if (!isForDevice(module) || kernel->hasAttr(kAmpere.threads)) // or a part of a group
        writer.kernel(kernel);
    for (func::FuncOp function : functions)
      function.walk([&](ConstantOp constant) { writer.constant(constant); });
    Movements movements(variableNumbers);
    for (func::FuncOp function : packers) {
      func::FuncOp unpacker = unpackers.lookup(function.getSymName());
      std::string run = movements.emit(function);
      writer.packed(function, run, unpacker, unpacker ? movements.emit(unpacker) : "");
    }
    for (func::FuncOp function : entries) {
      EntryProgram program(function, variableNumbers);
      program.emitPlan();
      program.emitRun();
      writer.entry(program);
    }
    for (func::FuncOp function : functions)
      function.erase();
    writer.finish();
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<KernelOp, VariableOp>(op))
        op.erase();
  }
};

} // namespace
} // namespace mlir::gen
