//===- KernelEmitter.h - from a kernel's body to code -----------*- C++ -*-===//
//
// What every family's emitter stands on: the function of a kernel with its frame (pointers and
// sizes), and the emission of single elements of the values in the kernel's body
// (dialect/ElementEmitter.h).
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_KERNELEMITTER_H
#define GEN_PASSES_KERNELS_KERNELEMITTER_H

#include "dialect/Gen.h"
#include "passes/Sizes.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/DenseMap.h"

namespace mlir::gen::kernels {

/// Lanes of every vector in emitted code, whatever the target: a target with narrower registers
/// splits them. So results are the same bits on every instruction set.
inline constexpr int64_t kLanes = 16;

/// One function of a kernel: `void(ptr frame, i64 index)` or `i64(ptr frame, ptr work)`. The frame
/// is an array of 8-byte words: one for each kernel argument (a pointer or a size), then one
/// pointer for each result. A function of a device has the words themselves as arguments.
class KernelFunction {
public:
  enum class Words { InFrame, AsArguments };

  /// Starts the body of `function`; `b` is left at its start.
  KernelFunction(KernelOp kernel, LLVM::LLVMFuncOp function, ImplicitLocOpBuilder &b,
                 Words words = Words::InFrame);
  /// A kernel that the body of `group` launches, as a part of the group's function: `words` are
  /// its own.
  KernelFunction(KernelOp kernel, KernelFunction &group, ArrayRef<Value> words);
  /// The words of a kernel that this one's body launches.
  SmallVector<Value> wordsOf(LaunchOp part);

  /// True for a function of a device, where nothing fills frames apart.
  bool isOnDevice() const { return wordsAre == Words::AsArguments; }

  /// The memory of a tensor argument or of result `number`.
  Value pointer(BlockArgument argument);
  Value resultPointer(unsigned number);
  /// Memory that is always there.
  Value anyPointer();

  /// The size of a value of the kernel's body, an i64.
  Value size(Value tensor, int64_t axis);
  /// An `index` value of the kernel's body, as i64.
  Value toI64(Value indexValue);
  /// The product of the sizes of `tensor` along `axes`.
  Value product(Value tensor, ArrayRef<int64_t> axes);
  /// A scalar load of a one-element argument, done once at the top.
  Value scalar(BlockArgument argument);

  KernelOp kernel;
  YieldOp yield;
  LLVM::LLVMFuncOp function;
  ImplicitLocOpBuilder &b;

private:
  Value word(int64_t number, Type type);

  Words wordsAre;
  llvm::DenseMap<int64_t, Value> words;
  SmallVector<Value> ownWords; ///< Of a part of a group.
  llvm::DenseMap<Value, Value> scalars, indices;
  llvm::DenseMap<std::pair<Value, int64_t>, Value> knownSizes;
  Sizes sizes;
};

/// Emits elements of the values of a kernel's body. One instance serves one straight-line piece of
/// code.
class KernelEmitter : public ElementEmitter {
public:
  KernelEmitter(KernelFunction &function, int64_t lanes, bool flat = false)
      : ElementEmitter(function.b, lanes, flat), function(function) {}

  /// Says that the element of `tensor` is `element`, at whatever index this emitter is asked for
  /// it. A scalar is the element of all lanes.
  void bind(Value tensor, Value element) { bound[tensor] = element; }
  /// Restricts all memory access to the lanes of `mask` (null: all).
  void setMask(Value mask) { laneMask = mask; }
  /// Says that the memory of arguments and results begins at a multiple of `bytes`, a power of two.
  /// Lanes side by side whose position is known to be a multiple, too, are read and written so.
  void setAlignment(int64_t bytes) { alignmentOfMemory = bytes; }

  Value elementAt(Value tensor, const Indices &at) override;
  Value elementAtPosition(Value tensor, Index position) override;
  Value size(Value tensor, int64_t axis) override { return function.size(tensor, axis); }
  Value sizeValue(Value index) override { return function.toI64(index); }
  Value masked(Value mask, llvm::function_ref<Value()> emit) override;

  /// Emits and stores the elements at `at` of every result of the kernel, or of some, by number.
  void storeResults(const Indices &at);
  void storeResults(ArrayRef<unsigned> numbers, const Indices &at);

  /// Memory that is no argument's: elements of `elementType` behind `pointer`.
  Value load(Value pointer, Type elementType, Index position);
  void store(Value pointer, Type elementType, Value element, Index position);

private:
  struct Stored {
    unsigned result; ///< Of the kernel, by number.
    Value element;
    Indices at;
  };
  void addElements(unsigned number, const Indices &at, SmallVectorImpl<Stored> &elements);
  Value load(BlockArgument argument, Index position);
  Value address(Value pointer, Type elementType, Value position);
  Value guarded(Value address);
  unsigned alignmentAt(Index position, unsigned bytesOfElement) const;

  struct Computed {
    Value tensor, mask, element;
    Indices at;
  };
  KernelFunction &function;
  Value laneMask;
  int64_t alignmentOfMemory = 1;
  Value condition; ///< The part of the mask that ops added: where their operands exist.
  llvm::DenseMap<Value, Value> bound;
  SmallVector<Computed> computed;
};

/// True if `type` is of one element, whatever the sizes of a call.
bool isOneElement(RankedTensorType type);

/// True for zeros, or the like, around images: neither batch nor channels are padded.
bool isFrame(PadOp pad);

/// The padding of the result of a kernel of products or tiles, or null: its elements are stored
/// where they come to be, and the rest is filled by tasks of its own.
PadOp frameOf(KernelOp kernel, Value result);
/// `tasks` and those that fill frames, one an image.
Value withFrameTasks(KernelFunction &function, Value tasks);
/// Emits `task`, for an index below what `tasks` emits, or else what fills the frames of an image.
void emitWithFrames(KernelFunction &function, Value index, llvm::function_ref<Value()> tasks,
                    llvm::function_ref<void()> task);

/// True if a kernel runs tile by tile: ops whose elements share work (TileOpInterface), all of one
/// shape, and elementwise ops behind them.
bool isTiled(KernelOp kernel);

/// The concatenation of parts of one type that is a kernel's result, or null: the kernel runs over
/// the elements of a part, and stores those of all parts where they come to be.
ConcatOp concatOf(KernelOp kernel, Value result);
/// True if all parts are of one type, and what lies side by side in a part does so in the whole.
bool hasEqualParts(ConcatOp concat);

/// True if every element of the kernel's results depends on elements at the same position only, so
/// that the kernel can run over positions whatever the rank.
bool isFlat(KernelOp kernel);

/// Splits a row-major position over `axes` of `tensor` into one uniform index an axis, in their
/// order.
SmallVector<Value> delinearize(KernelFunction &function, Value tensor, ArrayRef<int64_t> axes,
                               Value position);

/// Emits `for (i = from; i + lanes <= to; i += lanes) body(i, null)`, then, if something is left,
/// `body(i, mask)` for the last lanes; with `once` one masked loop over all.
void emitLaneLoop(ImplicitLocOpBuilder &b, Value from, Value to, int64_t lanes, bool once,
                  llvm::function_ref<void(Value, Value)> body);

/// The cost of one element of all that a kernel's body computes, in additions.
int64_t bodyCost(KernelOp kernel);
/// True if the body is long, so that one copy of it, masked, is better than one for whole vectors
/// and one for the rest.
bool isEmittedOnce(KernelOp kernel);

/// i1 lanes `lane < count`.
Value lanesBelow(ImplicitLocOpBuilder &b, Value count, int64_t lanes);

/// Small helpers on i64 values; constants fold.
Value i64Constant(ImplicitLocOpBuilder &b, int64_t value);
Value ceilDivide(ImplicitLocOpBuilder &b, Value value, Value divisor);

/// The emitters of the families: the body of a task, and the number of tasks.
void emitPointwiseTask(KernelFunction &function, Value index);
Value emitPointwiseTaskCount(KernelFunction &function);
void emitTileTask(KernelFunction &function, Value index);
Value emitTileTaskCount(KernelFunction &function);
void emitTranspositionTask(KernelFunction &function, Value index);
Value emitTranspositionTaskCount(KernelFunction &function);
void emitReductionTask(KernelFunction &function, Value index);
Value emitReductionTaskCount(KernelFunction &function);
void emitScatterTask(KernelFunction &function, Value index);
Value emitScatterTaskCount(KernelFunction &function);
void emitAttentionTask(KernelFunction &function, Value index);
Value emitAttentionTaskCount(KernelFunction &function);
void emitContractionTask(KernelFunction &function, Value index);
Value emitContractionTaskCount(KernelFunction &function);
/// Emits `i64 @KERNEL.tasks(ptr frame, ptr work)`: the number of tasks of a launch, as `count`
/// emits it, and into `work` its floating-point operations and bytes.
void emitTaskCounter(KernelOp kernel, ImplicitLocOpBuilder &b,
                     llvm::function_ref<Value(KernelFunction &)> count);

/// Emits for each word of a frame how many bytes of memory the address is of; 0 of a size.
SmallVector<Value> emitBytes(KernelFunction &function);

/// True if a kernel does nothing but move its argument's elements, another axis becoming the
/// contiguous one.
bool isTransposition(KernelOp kernel);

/// The schedule that a kernel gets by rule.
DictionaryAttr chooseSchedule(KernelOp kernel);
DictionaryAttr chooseContractionSchedule(KernelOp kernel);
DictionaryAttr chooseScatterSchedule(KernelOp kernel);
/// True if a packed right-hand side is read better than this one: the product's kernel would copy
/// it on its way, or it has to be moved anyway.
bool gainsByPackedRhs(ContractionOpInterface contraction);

/// A schedule's number, or `otherwise`.
int64_t scheduled(KernelOp kernel, StringRef key, int64_t otherwise);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_KERNELEMITTER_H
