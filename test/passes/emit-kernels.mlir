// RUN: gen-opt %s --split-input-file --gen-fuse-kernels --gen-schedule-kernels --gen-emit-kernels | FileCheck %s

// One task, on bare pointers: a loop of whole vectors, and the lanes that are left under a mask.
// CHECK-LABEL: llvm.func internal @exp_add.task(%arg0: !llvm.ptr, %arg1: i64)
// CHECK-NOT: memref
// CHECK: scf.for
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK: math.exp {{.*}} : vector<16xf32>
// CHECK: arith.addf
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK: scf.if
// CHECK: llvm.intr.masked.load
// CHECK: llvm.intr.masked.store
// CHECK-LABEL: llvm.func internal @exp_add.tasks(%arg0: !llvm.ptr, %arg1: !llvm.ptr) -> i64
func.func @f(%x: tensor<1000xf32>, %y: tensor<1000xf32>) -> tensor<1000xf32> {
  %0 = gen.exp %x : tensor<1000xf32>
  %1 = gen.add %0, %y : (tensor<1000xf32>, tensor<1000xf32>) -> tensor<1000xf32>
  return %1 : tensor<1000xf32>
}

// -----

// While a tile of the product is computed, it asks for the memory that its epilogue will change.
// CHECK-LABEL: llvm.func internal @matmul_sub.task
// CHECK: scf.for {{.*}} -> (vector<16xf32>
// CHECK: "llvm.intr.prefetch"({{.*}}) <{cache = 1 : i32, hint = 3 : i32, rw = 0 : i32}>
// CHECK: math.fma
gen.variable @w : tensor<256x512xf32>
func.func @update(%x: tensor<128x256xf32>, %dy: tensor<128x512xf32>) {
  %w = gen.read @w : tensor<256x512xf32>
  %0 = gen.matmul %x transposed, %dy : (tensor<128x256xf32>, tensor<128x512xf32>) -> tensor<256x512xf32>
  %1 = gen.sub %w, %0 : (tensor<256x512xf32>, tensor<256x512xf32>) -> tensor<256x512xf32>
  gen.assign @w, %1 : tensor<256x512xf32>
  return
}

// -----

// Lines and columns of an image as one axis: only their index is taken apart, the channels of a vector lie side by side.
// CHECK-LABEL: llvm.func internal @sub_mul_reduce_sum.task
// CHECK-NOT: masked.gather
// CHECK: llvm.load {{.*}} -> vector<16xf32>
// CHECK-LABEL: llvm.func internal @sub_mul_reduce_sum.tasks
func.func @variance(%x: tensor<32x16x16x128xf32>, %mean: tensor<32x128xf32>) -> tensor<32x128xf32> {
  %0 = gen.broadcast %mean axes [0, 2] : tensor<32x128xf32> -> tensor<32x256x128xf32>
  %1 = gen.reshape %0 : tensor<32x256x128xf32> -> tensor<32x16x16x128xf32>
  %2 = gen.sub %x, %1 : (tensor<32x16x16x128xf32>, tensor<32x16x16x128xf32>) -> tensor<32x16x16x128xf32>
  %3 = gen.mul %2, %2 : (tensor<32x16x16x128xf32>, tensor<32x16x16x128xf32>) -> tensor<32x16x16x128xf32>
  %4 = gen.reshape %3 : tensor<32x16x16x128xf32> -> tensor<32x256x128xf32>
  %5 = gen.reduce_sum %4 axes [1] : tensor<32x256x128xf32> -> tensor<32x128xf32>
  return %5 : tensor<32x128xf32>
}

// -----

// Parts are stored where the whole has them: nothing is chosen by its index.
// CHECK-LABEL: llvm.func internal @exp_neg_concat.task
// CHECK-NOT: arith.select
// CHECK: math.exp
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK: llvm.store {{.*}} : vector<16xf32>
// CHECK-LABEL: llvm.func internal @exp_neg_concat.tasks
func.func @parts(%x: tensor<32x512xf32>) -> tensor<32x1024xf32> {
  %0 = gen.exp %x : tensor<32x512xf32>
  %1 = gen.neg %0 : tensor<32x512xf32>
  %2 = gen.concat %0, %1 axis 1 : (tensor<32x512xf32>, tensor<32x512xf32>) -> tensor<32x1024xf32>
  return %2 : tensor<32x1024xf32>
}

// -----

// A product asks for the memory of its result, too, where that is too large for a cache.
// CHECK-LABEL: llvm.func internal @matmul_relu.task
// CHECK: "llvm.intr.prefetch"
// CHECK-LABEL: llvm.func internal @matmul_relu.tasks
func.func @large(%x: tensor<1024x64xf32>, %w: tensor<64x512xf32>) -> tensor<1024x512xf32> {
  %0 = gen.matmul %x, %w : (tensor<1024x64xf32>, tensor<64x512xf32>) -> tensor<1024x512xf32>
  %1 = gen.relu %0 : tensor<1024x512xf32>
  return %1 : tensor<1024x512xf32>
}

// -----

// CHECK-LABEL: llvm.func internal @matmul_relu.task
// CHECK-NOT: "llvm.intr.prefetch"
// CHECK-LABEL: llvm.func internal @matmul_relu.tasks
func.func @small(%x: tensor<128x64xf32>, %w: tensor<64x512xf32>) -> tensor<128x512xf32> {
  %0 = gen.matmul %x, %w : (tensor<128x64xf32>, tensor<64x512xf32>) -> tensor<128x512xf32>
  %1 = gen.relu %0 : tensor<128x512xf32>
  return %1 : tensor<128x512xf32>
}
