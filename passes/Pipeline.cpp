//===- Pipeline.cpp - the order of the passes -----------------------------===//
//
// The table of contents of the compiler: pass order and nothing else.
//
//===----------------------------------------------------------------------===//

#include "passes/Compiler.h"
#include "passes/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace mlir::gen;

static void simplify(OpPassManager &pm) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

static void differentiate(OpPassManager &pm, const std::string &precision, bool onDevice) {
  pm.addPass(createInlinerPass());
  pm.addPass(createSymbolDCEPass());
  pm.addNestedPass<func::FuncOp>(createForwardVariables());
  simplify(pm); // before: the fewer primal ops, the fewer gradients
  pm.addNestedPass<func::FuncOp>(createHoistInvariants());
  pm.addPass(createDifferentiate());
  pm.addPass(createDecompose({/*device=*/onDevice}));
  simplify(pm);
  if (precision == "f32" && !onDevice) // where lanes are what there is to fill
    pm.addNestedPass<func::FuncOp>(createBatchLast());
  pm.addNestedPass<func::FuncOp>(createChannelsLast());
  simplify(pm);
  pm.addNestedPass<func::FuncOp>(createSinkReshapes()); // before sizes are resolved: it makes some
}

static void fuse(OpPassManager &pm, const std::string &precision) {
  if (precision == "f32") { // a wide or transformed weight has more numbers, and others
    pm.addNestedPass<func::FuncOp>(createWidenConvolutions());
    pm.addNestedPass<func::FuncOp>(createFoldStrides());
    pm.addNestedPass<func::FuncOp>(createTransformConvolutions());
  }
  pm.addPass(createOrderVariables()); // after: a gradient's order is its algorithm's
  pm.addNestedPass<func::FuncOp>(createPrepareConvolutions());
  pm.addNestedPass<func::FuncOp>(createReducePrecision({precision}));
  pm.addNestedPass<func::FuncOp>(createResolveDimensions());
  simplify(pm);
  pm.addNestedPass<func::FuncOp>(createHoistInvariants());
  pm.addNestedPass<func::FuncOp>(
      createSplitReductions()); // after: canonicalization would join the steps again
  pm.addPass(createPackWeights());
  pm.addPass(createReleaseWeights());
  pm.addPass(createFuseKernels());
  pm.addPass(createDeduplicateKernels());
}

/// A device reads weights as they are, and an element beyond its operand is no element to it.
static void fuseForDevice(OpPassManager &pm, const std::string &precision) {
  pm.addNestedPass<func::FuncOp>(createReducePrecision({precision}));
  pm.addNestedPass<func::FuncOp>(createResolveDimensions());
  simplify(pm);
  pm.addNestedPass<func::FuncOp>(createHoistInvariants());
  pm.addNestedPass<func::FuncOp>(createSplitReductions());
  pm.addNestedPass<func::FuncOp>(createSplitProducts());
  pm.addPass(createFuseKernels({/*frames=*/false, /*partialSums=*/true}));
  pm.addPass(createDeduplicateKernels());
}

static void plan(OpPassManager &pm, const CompileOptions &options, bool onDevice) {
  pm.addPass(createScheduleKernels({options.schedules}));
  if (onDevice && options.memoryBudget < 0) // values live longer
    pm.addPass(createMergeLaunches());
  pm.addPass(createRematerialize({options.memoryBudget}));
  pm.addNestedPass<func::FuncOp>(createPlanMemory());
}

void mlir::gen::buildKernelPipeline(OpPassManager &pm, const CompileOptions &options,
                                    bool onDevice) {
  if (!options.isFused) {
    pm.addPass(createCheckModel());
    // No CPU has products of tf32: there they are of f32.
    bool isExact = !onDevice && options.precision == "tf32";
    std::string precision = isExact ? "f32" : options.precision;
    differentiate(pm, precision, onDevice);
    (onDevice ? fuseForDevice : fuse)(pm, precision);
  }
  plan(pm, options, onDevice);
}

void mlir::gen::buildEmissionPipeline(OpPassManager &pm, bool onDevice) {
  pm.addPass(onDevice ? createEmitDeviceKernels() : createEmitKernels());
  pm.addPass(createEmitProgram());
}

void mlir::gen::buildLlvmPipeline(OpPassManager &pm) {
  pm.addPass(createExpandMath());
  pm.addPass(createExpandFma());
  OpPassManager &function = pm.nest<LLVM::LLVMFuncOp>(); // side by side
  simplify(function);
  function.addPass(createSCFToControlFlowPass());
  function.addPass(createConvertVectorToLLVMPass());
  function.addPass(createConvertMathToLLVMPass());
  function.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  OpPassManager &converted = pm.nest<LLVM::LLVMFuncOp>();
  converted.addPass(createReconcileUnrealizedCastsPass());
  converted.addPass(createCSEPass());
}
