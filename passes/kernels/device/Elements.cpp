//===- Elements.cpp - a thread for each element ---------------------------===//
//
// Kernels without an anchor, and scatters: a thread computes one element of the kernel's shape, of
// all results. If there is a scatter, the thread computes the element of its result first, and what
// the kernel yields is emitted from it.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/DeviceEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

namespace {

class ElementsEmitter : public DeviceEmitter {
public:
  explicit ElementsEmitter(KernelFunction &function) : DeviceEmitter(function) {
    for (Operation &op : function.kernel.getBody().front())
      if (isa<AnchorOpInterface>(op))
        anchor = &op;
    shape = anchor ? anchor->getResult(0) : function.yield.getValues().front();
    if (ConcatOp concat = anchor ? ConcatOp() : concatOf(function.kernel, shape))
      shape = concat.getInputs().front();
    isFlat = !anchor && kernels::isFlat(function.kernel);
  }

  int64_t threads() const override { return 256; }
  Value blocks() override { return roundedUpQuotient(elements(), threads()); }

  void emitThread(Int block, Int thread) override {
    Int position = block * threads() + thread;
    auto branch = scf::IfOp::create(b, position < elements(), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Indices at;
    if (isFlat)
      at.push_back({position, Index::Uniform});
    else
      for (Value index : delinearize(function, shape, axes(), position))
        at.push_back({index, Index::Uniform});
    KernelEmitter emitter(function, /*lanes=*/1, isFlat);
    if (anchor)
      emitter.bind(shape, emitScatterElement(function, anchor, at));
    emitter.storeResults(at);
  }

private:
  SmallVector<int64_t> axes() {
    return llvm::to_vector(
        llvm::seq<int64_t>(0, cast<RankedTensorType>(shape.getType()).getRank()));
  }
  Int elements() { return {b, function.product(shape, axes())}; }

  Operation *anchor = nullptr;
  Value shape; ///< A value that has the shape.
  bool isFlat;
};

} // namespace

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeElementsEmitter(KernelFunction &function) {
  return std::make_unique<ElementsEmitter>(function);
}
