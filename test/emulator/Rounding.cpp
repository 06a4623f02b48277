#include "Rounding.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"

using namespace llvm;

// bf16 is the upper half of an f32. NaN is the one that GPUs make.
static Value *roundedBits(IRBuilder<> &b, Value *x, Type *wide, Type *narrow) {
  Value *bits = b.CreateBitCast(x, wide), *half = ConstantInt::get(wide, 16);
  Value *odd = b.CreateAnd(b.CreateLShr(bits, half), ConstantInt::get(wide, 1));
  Value *sum = b.CreateAdd(b.CreateAdd(bits, ConstantInt::get(wide, 0x7fff)), odd);
  Value *number = b.CreateTrunc(b.CreateLShr(sum, half), narrow);
  return b.CreateSelect(b.CreateFCmpUNO(x, x), ConstantInt::get(narrow, 0x7fff), number);
}

void emulator::roundToBF16(Module &module) {
  SmallVector<FPTruncInst *> roundings;
  for (Function &function : module)
    for (Instruction &instruction : instructions(function))
      if (auto *rounding = dyn_cast<FPTruncInst>(&instruction);
          rounding && rounding->getType()->getScalarType()->isBFloatTy() &&
          rounding->getSrcTy()->getScalarType()->isFloatTy())
        roundings.push_back(rounding);
  for (FPTruncInst *rounding : roundings) {
    IRBuilder<> b(rounding);
    Value *x = rounding->getOperand(0);
    Value *bits = roundedBits(b, x, x->getType()->getWithNewType(b.getInt32Ty()),
                              x->getType()->getWithNewType(b.getInt16Ty()));
    rounding->replaceAllUsesWith(b.CreateBitCast(bits, rounding->getType()));
    rounding->eraseFromParent();
  }
}
