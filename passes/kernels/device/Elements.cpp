//===- Elements.cpp - a thread for each element ---------------------------===//
//
// Kernels without an anchor, and scatters: a thread computes one element of the kernel's shape, of
// all results; or four that are neighbours along the last axis, if there are many: a GPU has to
// have many bytes on their way to be as fast as its memory. If there is a scatter, the thread
// computes the element of its result first, and what the kernel yields is emitted from it.
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
    constexpr int64_t kMany = 1 << 18, kFour = 4; // more than a GPU has threads
    auto type = cast<RankedTensorType>(shape.getType());
    if ((isFlat || (!anchor && areTogether(shape, kFour))) &&
        (!type.hasStaticShape() || type.getNumElements() >= kMany))
      lanes = kFour;
  }

  int64_t threads() const override { return 256; }
  Value blocks() override { return roundedUpQuotient(elements(), threads() * lanes); }

  void emitThread(Int block, Int thread) override {
    Int position = (block * threads() + thread) * lanes, end = min(position + lanes, elements());
    if (lanes == 1)
      return emitAtMostOne(position);
    Value isWhole = b.createOrFold<arith::AndIOp>(areAligned(b, memory()), position + lanes == end);
    auto branch = scf::IfOp::create(b, isWhole, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    KernelEmitter emitter(function, lanes, isFlat);
    emitter.setAlignment(kBytesAtOnce);
    Indices at = placeOf(position);
    at.back().kind = Index::Consecutive;
    emitter.storeResults(at);
    b.setInsertionPointToStart(branch.elseBlock());
    emitLoop(position, end, 1, {}, [&](Int i, auto) { emitOne(i); });
  }

private:
  void emitAtMostOne(Int position) {
    auto branch = scf::IfOp::create(b, position < elements(), /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    emitOne(position);
  }

  void emitOne(Int position) {
    Indices at = placeOf(position);
    KernelEmitter emitter(function, /*lanes=*/1, isFlat);
    if (anchor)
      emitter.bind(shape, emitScatterElement(function, anchor, at));
    emitter.storeResults(at);
  }

  Indices placeOf(Int position) {
    if (isFlat)
      return {{position, Index::Uniform}};
    Indices at;
    for (Value index : delinearize(function, shape, axes(), position))
      at.push_back({index, Index::Uniform});
    return at;
  }

  SmallVector<int64_t> axes() {
    return llvm::to_vector(
        llvm::seq<int64_t>(0, cast<RankedTensorType>(shape.getType()).getRank()));
  }
  Int elements() { return {b, function.product(shape, axes())}; }

  Operation *anchor = nullptr;
  Value shape; ///< A value that has the shape.
  bool isFlat;
  int64_t lanes = 1; ///< Elements of a thread.
};

} // namespace

std::unique_ptr<DeviceEmitter> mlir::gen::kernels::makeElementsEmitter(KernelFunction &function) {
  return std::make_unique<ElementsEmitter>(function);
}
