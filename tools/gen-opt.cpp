//===- gen-opt.cpp - running passes, and the reference interpreter --------===//
//
// mlir-opt for the gen dialect:       gen-opt model.mlir --gen-differentiate --canonicalize
// and the oracle of the tests:        gen-opt model.mlir --interpret=sample --input=x=x.npy
//
//===----------------------------------------------------------------------===//

#include "Npy.h"
#include "dialect/Gen.h"
#include "dialect/Interpreter.h"
#include "dialect/Nesting.h"
#include "passes/DType.h"
#include "passes/Passes.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace mlir::gen;
namespace cl = llvm::cl;

static cl::opt<std::string> inputName(cl::Positional, cl::init("-"), cl::desc("<input file>"));
static cl::opt<std::string> outputName("o", cl::init("-"), cl::value_desc("FILE"),
                                       cl::desc("output file (- is stdout)"));
static cl::OptionCategory category("Reference interpreter");
static cl::opt<std::string> entryName("interpret", cl::cat(category), cl::value_desc("ENTRY"),
                                      cl::desc("run an entry on the reference interpreter (f64)"));
static cl::list<std::string>
    inputs("input", cl::cat(category), cl::value_desc("[NAME=]VALUE"),
           cl::desc("an argument: FILE.npy, or text as 'dense<1.0> : tensor<2xf32>'"));
static cl::opt<std::string>
    outputFolder("output-dir", cl::cat(category), cl::value_desc("DIR"),
                 cl::desc("write results there as NAME.npy, floating point as f64"));
static cl::opt<int64_t> seed("seed", cl::cat(category), cl::init(0), cl::value_desc("N"),
                             cl::desc("value of the variable random.seed"));
static cl::opt<unsigned> repeat("repeat", cl::cat(category), cl::init(1), cl::value_desc("N"),
                                cl::desc("call the entry N times and show the last results"));
static cl::list<std::string> shownVariables("variable", cl::cat(category), cl::value_desc("NAME"),
                                            cl::desc("show a variable too, after the last call"));

static LogicalResult fail(const Twine &message) {
  llvm::errs() << "error: " << message << "\n";
  return failure();
}

//===----------------------------------------------------------------------===//
// Arrays in and out
//===----------------------------------------------------------------------===//

template <typename T> static void copyElements(const ::gen::Array &from, Array &to) {
  const T *elements = static_cast<const T *>(from.raw());
  for (size_t i = 0; i < from.size(); ++i) {
    if (to.isFloat())
      to.floats[i] = static_cast<double>(elements[i]);
    else
      to.setInteger(i, static_cast<int64_t>(elements[i]));
  }
}

/// Reads a .npy file. Floating point takes the argument's type, whatever its width.
static FailureOr<Array> readNpyFile(const std::string &path, Type argumentType) try {
  ::gen::Array npy = ::gen::runtime::readNpy(path);
  Type elementType = elementTypeOf(npy.dtype(), argumentType.getContext());
  Type expected = getElementTypeOrSelf(argumentType);
  if (isa<FloatType>(elementType) && isa<FloatType>(expected))
    elementType = expected;
  std::vector<int64_t> shape = npy.shape();
  Array array(elementType, shape);
  switch (npy.dtype()) {
  case GEN_F32:
    copyElements<float>(npy, array);
    break;
  case GEN_F64:
    copyElements<double>(npy, array);
    break;
  case GEN_I1:
  case GEN_I8:
    copyElements<int8_t>(npy, array);
    break;
  case GEN_I32:
    copyElements<int32_t>(npy, array);
    break;
  default:
    copyElements<int64_t>(npy, array);
  }
  return array;
} catch (const ::gen::runtime::Failure &failure) {
  return fail(failure.message);
} catch (const std::exception &error) {
  return fail(path + ": " + error.what());
}

/// Reads an argument: a file, or an attribute's text.
static FailureOr<Array> readArgument(StringRef text, Type type) {
  if (text.ends_with(".npy"))
    return readNpyFile(text.str(), type);
  if (!checkNesting(text, "--input", llvm::errs()))
    return failure();
  Attribute attribute = parseAttribute(text, type.getContext());
  if (auto elements = dyn_cast_or_null<ElementsAttr>(attribute))
    return Array::fromAttribute(elements);
  auto number = dyn_cast_or_null<TypedAttr>(attribute);
  if (!isa_and_nonnull<IntegerAttr, FloatAttr>(number))
    return fail("--input=" + text + ": expected FILE.npy or 'dense<...> : tensor<...>'");
  Array array(number.getType(), {});
  if (auto real = dyn_cast<FloatAttr>(attribute))
    array.setNumber(0, real.getValueAsDouble());
  else
    array.setInteger(0, cast<IntegerAttr>(attribute).getInt());
  return array;
}

static void printElements(const Array &array, int64_t axis, int64_t &position) {
  if (axis == array.rank()) {
    if (array.isFloat())
      llvm::outs() << llvm::format("%.9g", array.floats[position++]);
    else
      llvm::outs() << array.integers[position++];
    return;
  }
  llvm::outs() << "[";
  for (int64_t i = 0; i < array.shape[axis]; ++i) {
    llvm::outs() << (i == 0 ? "" : ", ");
    printElements(array, axis + 1, position);
  }
  llvm::outs() << "]";
}

/// Prints an array, or writes it to the output folder.
static LogicalResult show(const std::string &name, const Array &array) try {
  if (outputFolder.empty()) {
    int64_t position = 0;
    llvm::outs() << name << ": " << array.type() << " ";
    printElements(array, 0, position);
    llvm::outs() << "\n";
    return success();
  }
  if (std::error_code error = llvm::sys::fs::create_directories(outputFolder))
    return fail(outputFolder + ": " + error.message());
  llvm::SmallString<128> path(outputFolder);
  llvm::sys::path::append(path, name + ".npy");
  const void *data = array.isFloat() ? static_cast<const void *>(array.floats.data())
                                     : static_cast<const void *>(array.integers.data());
  std::vector<int64_t> shape(array.shape.begin(), array.shape.end());
  ::gen::runtime::writeNpy(std::string(path),
                           ::gen::View(data, array.isFloat() ? GEN_F64 : GEN_I64, shape));
  return success();
} catch (const ::gen::runtime::Failure &failure) {
  return fail(failure.message);
}

//===----------------------------------------------------------------------===//
// Interpretation
//===----------------------------------------------------------------------===//

static std::string nameOf(Attribute attribute, unsigned number) {
  auto name = dyn_cast_or_null<StringAttr>(attribute);
  return name ? name.str() : std::to_string(number);
}

/// Brings --input into the order of the entry's arguments.
static FailureOr<SmallVector<Array>> readArguments(func::FuncOp entry) {
  SmallVector<std::optional<Array>> arguments(entry.getNumArguments());
  for (StringRef input : inputs) {
    auto [name, value] = input.split('=');
    unsigned number = 0;
    if (value.empty() || name.contains('<')) {
      value = input;
      while (number < arguments.size() && arguments[number])
        ++number;
    } else {
      while (number < arguments.size() &&
             name != nameOf(entry.getArgAttr(number, kNameAttr), number))
        ++number;
    }
    if (number == arguments.size())
      return fail("--input=" + input + ": '" + entry.getName() +
                  "' has no such argument (it takes " + Twine(arguments.size()) + ")");
    FailureOr<Array> array = readArgument(value, entry.getArgumentTypes()[number]);
    if (failed(array))
      return failure();
    arguments[number] = std::move(*array);
  }
  SmallVector<Array> complete;
  for (auto [number, argument] : llvm::enumerate(arguments)) {
    if (!argument)
      return fail(entry.getName() + ": argument '" +
                  nameOf(entry.getArgAttr(number, kNameAttr), number) +
                  "' is missing; give it with --input");
    complete.push_back(std::move(*argument));
  }
  return complete;
}

/// Gradients have no reference semantics of their own: they are what the pass makes of them.
static LogicalResult expandGradients(ModuleOp module) {
  bool hasGradients =
      module.walk([](GradientOp) { return WalkResult::interrupt(); }).wasInterrupted();
  if (!hasGradients)
    return success();
  PassManager pm(module.getContext());
  pm.addPass(createInlinerPass());
  pm.addNestedPass<func::FuncOp>(createForwardVariables()); // as the compiler does
  pm.addPass(createDifferentiate());
  return pm.run(module);
}

static LogicalResult interpret(std::unique_ptr<llvm::MemoryBuffer> buffer,
                               DialectRegistry &registry) {
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(buffer), SMLoc());
  SourceMgrDiagnosticHandler handler(*sources, &context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module || failed(expandGradients(*module)))
    return failure();
  auto entry = module->lookupSymbol<func::FuncOp>(entryName);
  if (!entry)
    return fail("the model has no entry '" + entryName + "'");
  FailureOr<SmallVector<Array>> arguments = readArguments(entry);
  if (failed(arguments))
    return failure();
  Interpreter interpreter(*module, seed);
  FailureOr<SmallVector<Array>> results;
  for (unsigned i = 0; i < repeat; ++i) {
    results = interpreter.run(entryName, *arguments);
    if (failed(results))
      return failure();
  }
  if (succeeded(results))
    for (auto [number, result] : llvm::enumerate(*results))
      if (failed(show(nameOf(entry.getResultAttr(number, kNameAttr), number), result)))
        return failure();
  for (const std::string &name : shownVariables) {
    const Array *variable = interpreter.variable(name);
    if (!variable)
      return fail("the model has no variable '" + name + "'");
    if (failed(show(name, *variable)))
      return failure();
  }
  return success();
}

/// Exit statuses, as of all the tools.
enum { kDone, kBadInput, kWrongUsage };

static int run(int argc, char **argv) {
  DialectRegistry registry;
  registry.insert<GenDialect, arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect,
                  math::MathDialect, memref::MemRefDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect>();
  func::registerInlinerExtension(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  registerGenPasses();
  registerTransformsPasses();
  memref::registerMemRefPasses();
  std::string header = registerCLIOptions(
      "runs passes of gencc, or an entry on its reference interpreter", registry);
  std::string wrong;
  llvm::raw_string_ostream wrongStream(wrong);
  if (!cl::ParseCommandLineOptions(argc, argv, header, &wrongStream)) {
    llvm::errs() << "error: " << StringRef(wrong).trim() << "\n";
    return kWrongUsage;
  }
  std::string error;
  auto buffer = openInputFile(inputName, &error);
  if (!buffer) {
    (void)fail(error);
    return kBadInput;
  }
  if (!checkNesting(buffer->getBuffer(), inputName, llvm::errs()))
    return kBadInput;
  if (!entryName.empty())
    return failed(interpret(std::move(buffer), registry)) ? kBadInput : kDone;
  auto output = openOutputFile(outputName, &error);
  if (!output) {
    (void)fail(error);
    return kBadInput;
  }
  if (failed(MlirOptMain(output->os(), std::move(buffer), registry,
                         MlirOptMainConfig::createFromCLOptions())))
    return kBadInput;
  output->keep();
  return kDone;
}

int main(int argc, char **argv) { return run(argc, argv); }
