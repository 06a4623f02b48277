//===- DeviceEmitter.h - kernels for the threads of a GPU -------*- C++ -*-===//
//
// A kernel on a device is a number of blocks of threads. As on the CPU, emission pulls: each thread
// asks for the elements that it stores (passes/kernels/KernelEmitter.h), one lane at a time.
// Neighbouring threads ask for neighbouring elements.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_KERNELS_DEVICE_DEVICEEMITTER_H
#define GEN_PASSES_KERNELS_DEVICE_DEVICEEMITTER_H

#include "passes/kernels/Int.h"
#include "passes/kernels/KernelEmitter.h"

#include <memory>

namespace mlir::gen::kernels {

/// What a thread reads or writes at once, if it can.
inline constexpr int64_t kBytesAtOnce = 16;
/// True where all addresses are multiples of that.
Value areAligned(ImplicitLocOpBuilder &b, ValueRange addresses);
/// Emits both, each for when it is chosen.
SmallVector<Value> emitChoice(ImplicitLocOpBuilder &b, TypeRange types, Value condition,
                              llvm::function_ref<SmallVector<Value>()> chosen,
                              llvm::function_ref<SmallVector<Value>()> other);
Value emitChoice(ImplicitLocOpBuilder &b, Type type, Value condition,
                 llvm::function_ref<Value()> chosen, llvm::function_ref<Value()> other);
/// Emits `body`, for when `condition` holds.
void emitIf(ImplicitLocOpBuilder &b, Value condition, llvm::function_ref<void()> body);
/// Emits a loop that carries values, which `body` replaces.
SmallVector<Value> emitLoop(Int from, Int to, int64_t step, ValueRange initial,
                            llvm::function_ref<void(Int, MutableArrayRef<Value>)> body);

/// Shared memory that a kernel can have without asking for it at its launch.
inline constexpr int64_t kMostStaticBytes = 48 * 1024;

/// The symbol of a function's shared memory, if it has some.
std::string sharedMemoryOf(LLVM::LLVMFuncOp function);

/// Parameters of a kernel's function: 4096 bytes in all, of which 320 are for maps of tensors, and
/// for what stands before them so that they begin where they must.
inline constexpr int64_t kMostParameters = 512 - 40;

class DeviceEmitter {
public:
  explicit DeviceEmitter(KernelFunction &function) : function(function), b(function.b) {}
  virtual ~DeviceEmitter() = default;

  /// Threads of a block.
  virtual int64_t threads() const = 0;
  /// What a thread has of registers; with more, fewer threads run side by side. Where there are
  /// many arguments, it holds numbers of many.
  virtual int64_t registers() const {
    constexpr unsigned kMany = 96;
    return function.kernel.getBody().getNumArguments() > kMany ? 255 : 128;
  }
  /// How many blocks there are. Emitted into code of the CPU.
  virtual Value blocks() = 0;
  /// What thread `thread` of block `block` does; both are i64. Emitted into code of the device.
  virtual void emitThread(Int block, Int thread) = 0;
  /// Shared memory that its launch has to ask for, once it is emitted.
  int64_t sharedOfLaunch() const { return dynamicBytes; }

  /// True if the kernel's function takes maps of tensors, besides the words of the frame.
  virtual bool takesTensors() const { return false; }
  /// Fills `tensors` (gen_device_tensor). Emitted into code of the CPU.
  virtual void describeTensors([[maybe_unused]] Value tensors) {}

protected:
  /// Waits until all threads of the block are here.
  void emitBarrier();
  /// True if neighbours along the last axis of `shape`, which `lanes` divides, may be computed
  /// together: what is computed of each is computed of neighbours, mostly.
  bool areTogether(Value shape, int64_t lanes) const;
  /// The memory of arguments that are read by element, and of results.
  SmallVector<Value> memory();
  /// The block's shared memory, `bytes` of it, the same for every call. Nothing is in it at first.
  Value sharedMemory(int64_t bytes, int64_t alignment = 16);

  KernelFunction &function;
  ImplicitLocOpBuilder &b;
  int64_t dynamicBytes = 0; ///< Of shared memory.

private:
  Value shared;
};

/// The emitter of a kernel's family.
std::unique_ptr<DeviceEmitter> makeDeviceEmitter(KernelFunction &function);
/// The emitter of a kernel that has code of its own for compute capability 9.0; null if it has
/// none.
std::unique_ptr<DeviceEmitter> makeHopperEmitter(KernelFunction &function);
/// Threads of a block of a kernel; nothing if it has code of its own for compute capability 9.0.
std::optional<int64_t> deviceThreads(KernelOp kernel);
std::unique_ptr<DeviceEmitter> makeElementsEmitter(KernelFunction &function);
std::unique_ptr<DeviceEmitter> makeContractionEmitter(KernelFunction &function);
std::unique_ptr<DeviceEmitter> makeRowsEmitter(KernelFunction &function);
std::unique_ptr<DeviceEmitter> makeAttentionEmitter(KernelFunction &function);
std::unique_ptr<DeviceEmitter> makeAttentionGradientEmitter(KernelFunction &function);
std::unique_ptr<DeviceEmitter> makeGroupEmitter(KernelFunction &function);

/// Emits the element at `at` of a scatter's result, from those of its operands.
Value emitScatterElement(KernelFunction &function, Operation *scatter, const Indices &at);

/// Emits a loop over all `extents`, the last one innermost, that carries one value.
Value emitFold(ImplicitLocOpBuilder &b, ArrayRef<Int> extents, Value initial,
               llvm::function_ref<Value(ArrayRef<Int> at, Value running)> body);

} // namespace mlir::gen::kernels

#endif // GEN_PASSES_KERNELS_DEVICE_DEVICEEMITTER_H
