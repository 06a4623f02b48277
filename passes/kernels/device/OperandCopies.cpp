//===- OperandCopies.cpp - copies of an operand that are on their way -----===//
//
// cp.async, of 16 bytes where memory begins at a multiple of them. Where it does not, of words;
// what is smaller is copied at once, by loads and stores.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/DeviceEmitter.h"
#include "passes/kernels/device/OperandTile.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::gen;
using namespace mlir::gen::kernels;

void OperandTile::start(Int step, Value to) {
  SmallVector<Started> started;
  Lines known;
  for (const Copy &copy : copies) {
    Int inDepth = copy.inDepth.front();
    Line line = lineOf(known, step, inDepth);
    Value from = products.address(number, memory, tensor, copy.digits, line.digits, line.exists);
    started.push_back({from, placeOf(to, copy.outer, inDepth), line.exists});
  }
  auto startAll = [&](int64_t bytes, int64_t count) {
    for (const Started &copy : started)
      for (int64_t i = 0; i < count; ++i)
        startCopy(copy, i, bytes);
  };
  int64_t bytes = bytesOf(tile.storedType);
  if (!isAligned)
    return startAll(bytes, 1);
  auto branch = scf::IfOp::create(b, isAligned, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  startAll(kBytesAtOnce, 1);
  b.setInsertionPointToStart(branch.elseBlock());
  if (bytes >= kLeastCopied)
    return startAll(bytes, width);
  for (const Started &copy : started)
    copyElements(copy);
}

/// Element `element` of a copy, or all if they are copied at once. What does not exist is zero.
void OperandTile::startCopy(const Started &copy, int64_t element, int64_t bytes) {
  constexpr unsigned kGlobal = 1;
  auto global = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  auto behind = [&](Value pointer) {
    return elementPointer(b, tile.storedType, pointer, Int(b, element));
  };
  Value from = LLVM::AddrSpaceCastOp::create(b, global, behind(copy.from));
  Value to = element == 0 ? copy.to
                          : LLVM::GEPOp::create(b, copy.to.getType(), tile.storedType, copy.to,
                                                LLVM::GEPArg(static_cast<int32_t>(element)))
                                .getResult();
  Value read;
  if (copy.exists)
    read = arith::SelectOp::create(
        b, copy.exists, arith::ConstantIntOp::create(b, bytes, 32), // of those, the others are zero
        arith::ConstantIntOp::create(b, 0, 32));
  auto cache =
      bytes == kBytesAtOnce ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
  NVVM::CpAsyncOp::create(b, to, from, static_cast<uint32_t>(bytes), cache, read);
}

/// At once, where the memory begins anywhere.
void OperandTile::copyElements(const Started &copy) {
  auto type = VectorType::get(width, tile.storedType);
  auto read = [&]() -> Value {
    SmallVector<Value> elements;
    for (int64_t i = 0; i < width; ++i)
      elements.push_back(LLVM::LoadOp::create(
          b, tile.storedType, elementPointer(b, tile.storedType, copy.from, Int(b, i)),
          static_cast<unsigned>(bytesOf(tile.storedType))));
    return vector::FromElementsOp::create(b, type, elements);
  };
  auto zeros = [&]() -> Value { return arith::ConstantOp::create(b, b.getZeroAttr(type)); };
  Value elements = copy.exists ? emitChoice(b, type, copy.exists, read, zeros) : read();
  LLVM::StoreOp::create(b, elements, copy.to, kBytesAtOnce);
}
