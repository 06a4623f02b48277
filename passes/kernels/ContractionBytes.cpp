//===- ContractionBytes.cpp - Products of i8 for the register tile --------===//
//
// B is packed in words of four steps of k, and so are the rows of a tile of A, in a copy. The sums
// are exact whatever the instruction, hence the same bits everywhere:
//
//   Fours    sum += a0 b0 + a1 b1 + a2 b2 + a3 b3, a + 128 without a sign (vpdpbusd)
//   Pairs    even = i16 (a0, a2), odd = i16 (a1, a3), of b too: sum += even . even + odd . odd
//   Single   each number in an i32 of its own
//
// The shifts that take words of A apart are done once, when the rows are copied.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/kernels/ContractionTile.h"

namespace mlir::gen::kernels {

int64_t Bytes::parts() const {
  return target.byteProducts == VectorTarget::Fours   ? 1
         : target.byteProducts == VectorTarget::Pairs ? 2
                                                      : 4;
}

/// (words << left) >> right, with the sign, in the elements that are there.
Value Bytes::shifted(Value words, int64_t left, int64_t right) const {
  auto constant = [&](int64_t value) {
    auto type = cast<VectorType>(words.getType());
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(type, b.getIntegerAttr(type.getElementType(), value)));
  };
  if (left != 0)
    words = arith::ShLIOp::create(b, words, constant(left));
  return arith::ShRSIOp::create(b, words, constant(right));
}

Value Bytes::part(Value words, int64_t part) const {
  auto type = cast<VectorType>(words.getType());
  switch (target.byteProducts) {
  case VectorTarget::Fours:
    return words;
  case VectorTarget::Pairs: {
    auto halves = VectorType::get(2 * type.getNumElements(), b.getI16Type());
    Value numbers = shifted(vector::BitCastOp::create(b, halves, words), part == 0 ? 8 : 0, 8);
    return vector::BitCastOp::create(b, type, numbers);
  }
  case VectorTarget::Single:
    return shifted(words, 24 - 8 * part, 24);
  }
  llvm_unreachable("all are there");
}

/// The sums of neighbouring products, one an i32, register by register.
Value Bytes::pairSums(Value lhs, Value rhs) const {
  auto type = cast<VectorType>(lhs.getType());
  int64_t lanes = type.getNumElements(), piece = std::min<int64_t>(target.registerBytes / 4, lanes);
  StringRef name = piece == 16  ? "llvm.x86.avx512.pmaddw.d.512"
                   : piece == 8 ? "llvm.x86.avx2.pmadd.wd"
                                : "llvm.x86.sse2.pmadd.wd";
  auto words = VectorType::get(piece, type.getElementType());
  auto halves = VectorType::get(2 * piece, b.getI16Type());
  auto pieceOf = [&](Value value, int64_t from) -> Value {
    if (piece != lanes)
      value = vector::ExtractStridedSliceOp::create(b, value, {from}, {piece}, {1});
    return vector::BitCastOp::create(b, halves, value);
  };
  Value result;
  for (int64_t from = 0; from < lanes; from += piece) {
    Value sums = LLVM::CallIntrinsicOp::create(b, words, b.getStringAttr(name),
                                               {pieceOf(lhs, from), pieceOf(rhs, from)})
                     .getResult(0);
    if (piece == lanes)
      return sums;
    if (!result)
      result = arith::ConstantOp::create(b, b.getZeroAttr(type));
    result = vector::InsertStridedSliceOp::create(b, sums, result, {from}, {1});
  }
  return result;
}

Value Bytes::add(Value sums, Value lhs, Value rhs) const {
  switch (target.byteProducts) {
  case VectorTarget::Fours: {
    auto type = cast<VectorType>(sums.getType());
    auto bytes = VectorType::get(4 * type.getNumElements(), b.getI8Type());
    auto numbers = [&](Value words) { return vector::BitCastOp::create(b, bytes, words); };
    return LLVM::CallIntrinsicOp::create(b, type, b.getStringAttr("llvm.x86.avx512.vpdpbusd.512"),
                                         {sums, numbers(lhs), numbers(rhs)})
        .getResult(0);
  }
  case VectorTarget::Pairs:
    return arith::AddIOp::create(b, sums, pairSums(lhs, rhs));
  case VectorTarget::Single:
    return arith::AddIOp::create(b, sums, arith::MulIOp::create(b, lhs, rhs));
  }
  llvm_unreachable("all are there");
}

void Bytes::storeParts(Value words, Value to, Int at, int64_t planeSize) const {
  auto type = cast<VectorType>(words.getType());
  if (hasExcess()) {
    auto signs =
        DenseElementsAttr::get(type, b.getI32IntegerAttr(static_cast<int32_t>(0x80808080)));
    words = arith::XOrIOp::create(b, words, arith::ConstantOp::create(b, signs));
  }
  for (int64_t number = 0; number < parts(); ++number)
    storeVector(b, part(words, number),
                elementPointer(b, b.getI32Type(), to, at + number * planeSize), 4);
}

void Bytes::copyRun(Value from, Value to, Int words, Int run, Int runStart,
                    int64_t planeSize) const {
  Type byte = b.getI8Type();
  auto wordsOf = [&](int64_t count) { return VectorType::get(count, b.getI32Type()); };
  bool isWhole = run.constant() && *run.constant() % 4 == 0;
  Int full = isWhole ? words : min(words, run / 4 - runStart);
  forEachPiece(b, full, [&](Int at, int64_t count) {
    Value loaded = loadVector(b, wordsOf(count), elementPointer(b, byte, from, at * 4), 1);
    storeParts(loaded, to, at, planeSize);
  });
  if (isWhole)
    return;
  // The last word of a run, number by number.
  emitIf(
      b, full < words,
      [&] {
        Value word = arith::ConstantOp::create(b, b.getZeroAttr(wordsOf(1)));
        auto numbers = VectorType::get(4, byte);
        word = vector::BitCastOp::create(b, numbers, word);
        Int rest = run % 4;
        for (int64_t i = 0; i < 3; ++i) {
          Int exists = min(Int(b, i), rest - 1); // repeats the last one, which B's zeros multiply
          Value pointer = elementPointer(b, byte, from, full * 4 + exists);
          word = vector::InsertOp::create(b, LLVM::LoadOp::create(b, byte, pointer), word, i);
        }
        storeParts(vector::BitCastOp::create(b, wordsOf(1), word), to, full, planeSize);
      },
      [] {});
}

void Bytes::copyRows(Value source, const Walk &walk, Int first, Int rows, ArrayRef<DepthStep> depth,
                     Int run, Int runStart, Value tile, int64_t rowSize, int64_t planeSize) const {
  emitLoop(b, Int(b, 0), rows, 1, [&](Int r) {
    Value from = elementPointer(b, b.getI8Type(), source, offsetOf(walk, first + r));
    Value to = elementPointer(b, b.getI32Type(), tile, r * rowSize);
    forEachRun(b, depth, [&](Int position, Int offset, Int) {
      copyRun(elementPointer(b, b.getI8Type(), from, offset),
              elementPointer(b, b.getI32Type(), to, position), depth.back().extent, run, runStart,
              planeSize);
    });
  });
}

} // namespace mlir::gen::kernels
