//===- WarpgroupTile.cpp - a tile of a product by groups of four warps ----===//
//
// wgmma of 64 x n x 16: two groups of four warps have 64 rows each, or half of the columns, and
// multiply from shared memory, 16 bits each. Lines there have 128 bytes, along k, or along rows or
// columns, and their pieces of 16 bytes are exchanged (p becomes p ^ line), as the instruction
// wants it. The products of a step are on their way while the next step is waited for.
//
//===----------------------------------------------------------------------===//

#include "passes/kernels/device/ProductTile.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::gen::kernels;

namespace {

constexpr int64_t kWarp = 32, kWarpgroup = 128, kWarpgroups = 2;
constexpr int64_t kRows = 64, kColumns = 8, kDepth = 16;
/// Elements of a line in shared memory, 128 bytes; 8 of them are an atom.
constexpr int64_t kLine = 64;
/// Keeps neighbouring rows of sums out of each other's banks.
constexpr int64_t kPadding = 8;

class WarpgroupTile : public ProductTile {
public:
  WarpgroupTile(ImplicitLocOpBuilder &b, const TileShape &shape, Type storedType,
                std::array<bool, 2> alongDepth)
      : ProductTile(b, shape, b.getF32Type(), storedType, /*elementsOfCopy=*/2),
        alongDepth(alongDepth), rowGroups(shape.rows / kRows),
        columns(shape.columns / (kWarpgroups / rowGroups)) {}

  bool liesAlongDepth(unsigned number) const override { return alongDepth[number]; }
  int64_t stepsInFlight() const override { return 1; }
  int64_t registers() const override { return 255; }
  int64_t alignment() const override { return 8 * kLine * kBytes; }

  /// Step by step of 64, line by line.
  Int position(unsigned number, Int outer, Int k) override {
    return alongDepth[number]
               ? swizzled(outer, k, kLine)
               : outer / kLine * (kLine * shape.depth) + swizzled(k, outer % kLine, kLine);
  }
  int64_t elements(unsigned number) override { return shape.side(number) * shape.depth; }

  SmallVector<Value> zeros() override {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    return SmallVector<Value>(columns / 2, zero);
  }

  /// What threads have written is not seen by these instructions before.
  void publish() override {
    NVVM::FenceProxyOp::create(
        b, NVVM::ProxyKindAttr::get(b.getContext(), NVVM::ProxyKind::async_shared),
        NVVM::SharedSpaceAttr::get(b.getContext(), NVVM::SharedSpace::shared_cta));
  }

  /// The products of the step before are done in the end.
  void addProducts(Int thread, Value lhs, Value rhs, MutableArrayRef<Value> sums) override {
    Int group = thread / kWarpgroup;
    Int left = descriptor(lhs, 0, rowGroups == 1 ? Int(b, 0) : group * kRows),
        right = descriptor(rhs, 1, rowGroups == 1 ? group * columns : Int(b, 0));
    NVVM::WgmmaFenceAlignedOp::create(b);
    for (int64_t k = 0; k < shape.depth; k += kDepth)
      multiply(left + advance(0, k), right + advance(1, k), sums);
    NVVM::WgmmaGroupSyncAlignedOp::create(b);
    NVVM::WgmmaWaitGroupSyncOp::create(b, 1);
  }

  /// The sums change until they are waited for, so they pass through that instruction.
  void finish(MutableArrayRef<Value> sums) override {
    emitAssembly("wgmma.wait_group.sync.aligned 0;", sums, {});
  }

  int64_t rowsOfTurn() override { return shape.rows; }
  int64_t rowStrideOfSums() override { return shape.columns + kPadding; }

  void storeSums(Int thread, Int, ValueRange sums, Value shared) override {
    Int group = thread / kWarpgroup, warp = thread % kWarpgroup / kWarp, lane = thread % kWarp;
    Int row = warp * (kRows / 4) + lane / 4, column = lane % 4 * 2;
    (rowGroups == 1 ? column : row) =
        rowGroups == 1 ? column + group * columns : row + group * kRows;
    auto type = VectorType::get(2, sumType);
    for (int64_t i = 0; i < columns / 2; i += 2) { // both rows of 8 columns, in turns
      Int at = (row + i / 2 % 2 * 8) * rowStrideOfSums() + column + i / 4 * kColumns;
      Value pair = vector::FromElementsOp::create(b, type, ValueRange{sums[i], sums[i + 1]});
      Value to = LLVM::GEPOp::create(b, shared.getType(), sumType, shared, ValueRange{at.value});
      LLVM::StoreOp::create(b, pair, to, /*alignment=*/8);
    }
  }

private:
  static constexpr int64_t kBytes = 2; ///< Of an element.
  static constexpr int64_t kUnit = 16; ///< Of addresses and distances in descriptors.

  /// Where an operand is, from row or column `outer` on, and how its atoms lie (PTX ISA, "Matrix
  /// descriptor format"). Along k, 8 lines further lies the next atom; else the next 8 lines of k,
  /// and `leading` further the next 64 rows or columns.
  Int descriptor(Value memory, unsigned number, Int outer) {
    constexpr uint64_t kSwizzle128 = 1, kAddress = 0x3fff;
    uint64_t next = 8 * kLine * kBytes / kUnit,
             leading = alongDepth[number] ? 1 : shape.depth * kLine * kBytes / kUnit;
    Int address(b, LLVM::PtrToIntOp::create(b, b.getI64Type(), memory));
    Int start = foldInt<arith::AndIOp>(address / kUnit, Int(b, kAddress));
    // A line along k, or 64 lines of k for 64 rows or columns, are as many bytes a row or column.
    start = start + outer * (kLine * kBytes / kUnit);
    return foldInt<arith::OrIOp>(
        start, Int(b, static_cast<int64_t>(kSwizzle128 << 62 | next << 32 | leading << 16)));
  }
  /// From the operand of a step to that `k` further.
  int64_t advance(unsigned number, int64_t k) const {
    return k * (alongDepth[number] ? 1 : kLine) * kBytes / kUnit;
  }

  void multiply(Int left, Int right, MutableArrayRef<Value> sums) {
    StringRef type = storedType.isBF16() ? "bf16" : "f16";
    std::string registers;
    for (size_t i = 0; i < sums.size(); ++i)
      registers += (i ? ", $" : "$") + std::to_string(i);
    size_t descriptors = 2 * sums.size(); // behind the sums as results, and as operands
    std::string text = llvm::formatv("wgmma.mma_async.sync.aligned.m64n{0}k16.f32.{1}.{1} {{{2}}, "
                                     "${3}, ${4}, 1, 1, 1, {5}, {6};",
                                     columns, type, registers, descriptors, descriptors + 1,
                                     alongDepth[0] ? 0 : 1, alongDepth[1] ? 0 : 1);
    emitAssembly(text, sums, {left, right});
  }

  /// An instruction that changes the sums where they are.
  void emitAssembly(StringRef text, MutableArrayRef<Value> sums, ArrayRef<Value> others) {
    std::string constraints;
    for (size_t i = 0; i < sums.size(); ++i)
      constraints += "=f,";
    for (size_t i = 0; i < sums.size(); ++i)
      constraints += std::to_string(i) + ",";
    for (size_t i = 0; i < others.size(); ++i)
      constraints += "l,";
    constraints.pop_back();
    SmallVector<Value> operands(sums);
    operands.append(others.begin(), others.end());
    auto type = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                 SmallVector<Type>(sums.size(), b.getF32Type()));
    Value all =
        LLVM::InlineAsmOp::create(b, type, operands, text, constraints,
                                  /*has_side_effects=*/true, /*is_align_stack=*/false,
                                  LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
            .getResult(0);
    for (auto [i, sum] : llvm::enumerate(sums))
      sum = LLVM::ExtractValueOp::create(b, all, static_cast<int64_t>(i));
  }

  std::array<bool, 2> alongDepth; ///< How the operands lie.
  int64_t rowGroups;              ///< Of the warp groups; else they share the columns.
  int64_t columns;                ///< Of a group.
};

} // namespace

/// The largest tiles that keep a GPU of 132 multiprocessors busy.
std::optional<TileShape> mlir::gen::kernels::chooseWarpgroupTile(const ProductSizes &sizes) {
  constexpr int64_t kManyTiles = 128, kUnknown = 1024,
                    kShapes[][2] = {{128, 256}, {128, 128}, {64, 128}};
  int64_t rows = sizes.rows.value_or(kUnknown), columns = sizes.columns.value_or(kUnknown),
          depth = sizes.depth.value_or(kUnknown);
  for (auto [tileRows, tileColumns] : kShapes)
    if (rows >= tileRows && columns >= tileColumns && depth >= 2 * kLine &&
        sizes.count.value_or(1) * llvm::divideCeil(rows, tileRows) *
                llvm::divideCeil(columns, tileColumns) >=
            kManyTiles)
      return TileShape{tileRows, tileColumns, kLine, /*groups=*/1, kWarpgroups * kWarpgroup};
  return std::nullopt;
}

std::unique_ptr<ProductTile> mlir::gen::kernels::warpgroupTile(ImplicitLocOpBuilder &b,
                                                               const TileShape &shape,
                                                               Type storedType,
                                                               std::array<bool, 2> liesAlongDepth) {
  return std::make_unique<WarpgroupTile>(b, shape, storedType, liesAlongDepth);
}
