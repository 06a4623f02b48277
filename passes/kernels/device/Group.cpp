//===- Group.cpp - kernels that are launched as one, for a GPU ------------===//
//
// The body of a group launches kernels that do not depend on each other (gen-merge-launches). Its
// blocks are theirs, one kernel's after another's. Calls of one kernel share its code if their
// number of blocks is static: the number of the call says which words it gets.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

/// Calls of a kernel that have the same number of blocks each.
struct Part {
  KernelOp kernel;
  SmallVector<SmallVector<Value>> words; ///< Of each call: pointers and sizes.
  int64_t calls() const { return static_cast<int64_t>(words.size()); }
};

class GroupEmitter : public DeviceEmitter {
public:
  explicit GroupEmitter(KernelFunction &function) : DeviceEmitter(function) {
    for (auto call : function.kernel.getBody().getOps<LaunchOp>())
      add(call);
    for (const Part &part : parts) {
      KernelFunction inside(part.kernel, function, part.words.front());
      std::unique_ptr<DeviceEmitter> emitter = makeDeviceEmitter(inside);
      mostRegisters = std::max(mostRegisters, emitter->registers());
      blockThreads = emitter->threads(); // the same for all
    }
  }

  int64_t threads() const override { return blockThreads; }
  int64_t registers() const override { return std::max(mostRegisters, DeviceEmitter::registers()); }

  Value blocks() override {
    Int sum(b, 0);
    for (const Part &part : parts)
      sum = sum + blocksOfCall(part) * part.calls();
    return sum;
  }

  void emitThread(Int block, Int thread) override {
    Int first(b, 0);
    for (const Part &part : parts) {
      Int ofCall = blocksOfCall(part), end = first + ofCall * part.calls();
      emitIf(b, b.createOrFold<arith::AndIOp>(first <= block, block < end), [&] {
        Int inPart = block - first;
        SmallVector<Value> arguments = wordsOf(part, inPart / ofCall);
        arguments.append({inPart % ofCall, thread});
        LLVM::CallOp::create(b, makeBody(part, arguments), arguments);
      });
      first = end;
    }
    shareMemory();
  }

private:
  void add(LaunchOp call) {
    auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(call, call.getKernelAttr());
    auto known = llvm::find_if(parts, [&](const Part &part) { return part.kernel == kernel; });
    if (known == parts.end() || !blocksOfCall(*known).constant())
      known = parts.insert(parts.end(), Part{kernel, {}});
    known->words.push_back(function.wordsOf(call));
  }

  Int blocksOfCall(const Part &part) {
    KernelFunction inside(part.kernel, function, part.words.front());
    return {b, makeDeviceEmitter(inside)->blocks()};
  }

  /// The words of call `number`. A table of jumps reads those of this call only.
  SmallVector<Value> wordsOf(const Part &part, Int number) {
    if (part.calls() == 1)
      return part.words.front();
    SmallVector<int64_t> cases = llvm::to_vector(llvm::seq<int64_t>(1, part.calls()));
    Value index = arith::IndexCastOp::create(b, b.getIndexType(), number);
    auto choice = scf::IndexSwitchOp::create(b, ValueRange(part.words.front()).getTypes(), index,
                                             cases, static_cast<unsigned>(cases.size()));
    OpBuilder::InsertionGuard guard(b);
    for (auto [region, words] : llvm::zip_equal(choice->getRegions(), part.words)) {
      b.setInsertionPointToStart(&region.emplaceBlock());
      scf::YieldOp::create(b, words);
    }
    return SmallVector<Value>(choice.getResults());
  }

  /// A function of the part's words, a block and a thread. It is inlined; what it does at its
  /// begin is done by its own blocks only.
  LLVM::LLVMFuncOp makeBody(const Part &part, ValueRange arguments) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(function.function);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                            SmallVector<Type>(arguments.getTypes()));
    std::string name = (function.function.getSymName() + "_part" + Twine(bodies.size())).str();
    auto body = LLVM::LLVMFuncOp::create(b, name, type, LLVM::Linkage::Internal);
    body.setAlwaysInline(true);
    KernelFunction inside(part.kernel, body, b, KernelFunction::Words::AsArguments);
    std::unique_ptr<DeviceEmitter> emitter = makeDeviceEmitter(inside);
    auto own = body.getArguments().take_back(2);
    emitter->emitThread({b, own[0]}, {b, own[1]});
    LLVM::ReturnOp::create(b, ValueRange());
    dynamicBytes = std::max(dynamicBytes, emitter->sharedOfLaunch());
    bodies.push_back(body);
    return body;
  }

  /// The shared memory of a block is that of its part: all parts have the largest one.
  void shareMemory() {
    auto module = function.function->getParentOfType<ModuleOp>();
    LLVM::GlobalOp largest;
    SmallVector<LLVM::GlobalOp> all;
    for (LLVM::LLVMFuncOp body : bodies)
      if (auto shared = module.lookupSymbol<LLVM::GlobalOp>(sharedMemoryOf(body)))
        all.push_back(shared);
    auto bytesOf = [](LLVM::GlobalOp shared) {
      return cast<LLVM::LLVMArrayType>(shared.getType()).getNumElements();
    };
    for (LLVM::GlobalOp shared : all)
      if (!largest || bytesOf(shared) > bytesOf(largest))
        largest = shared;
    for (LLVM::GlobalOp shared : all)
      if (shared != largest && bytesOf(shared) > 0) { // if not, its launch asks for it
        for (LLVM::LLVMFuncOp body : bodies)
          (void)SymbolTable::replaceAllSymbolUses(shared, largest.getSymNameAttr(), body);
        shared.erase();
      }
  }

  SmallVector<Part> parts;
  SmallVector<LLVM::LLVMFuncOp> bodies;
  int64_t blockThreads = 0, mostRegisters = 0;
};

} // namespace

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeGroupEmitter(KernelFunction &function) {
  return std::make_unique<GroupEmitter>(function);
}
