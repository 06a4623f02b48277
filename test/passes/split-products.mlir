// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-split-products))' | FileCheck %s
// RUN: gen-opt %s --pass-pipeline='builtin.module(func.func(gen-resolve-dimensions,gen-split-products),gen-fuse-kernels{frames=false partial-sums=true},gen-emit-device-kernels)' | FileCheck %s --check-prefix=BLOCKS

// One tile: blocks of 512 products. A second kernel adds their sums, and follows with the epilogue.
// CHECK-LABEL: func.func @gradient
// CHECK: %[[PRODUCT:.*]] = gen.matmul
// CHECK: %[[PARTS:.*]] = gen.partial_sums %[[PRODUCT]] : tensor<32x10xf32> -> tensor<16x32x10xf32>
// CHECK: %[[SUM:.*]] = gen.reduce_sum %[[PARTS]] axes [0] : tensor<16x32x10xf32> -> tensor<32x10xf32>
// CHECK: gen.sub %{{.*}}, %[[SUM]]
// BLOCKS-LABEL: llvm.func internal @matmul_partial_sums.tasks
// BLOCKS: %[[BLOCKS:.*]] = arith.constant 32 : i64
// BLOCKS: llvm.return %[[BLOCKS]]
// BLOCKS-LABEL: llvm.func internal @reduce_sum_sub.tasks
func.func @gradient(%x: tensor<8192x32xf32>, %y: tensor<8192x10xf32>, %w: tensor<32x10xf32>) -> tensor<32x10xf32> {
  %0 = gen.matmul %x transposed, %y : (tensor<8192x32xf32>, tensor<8192x10xf32>) -> tensor<32x10xf32>
  %1 = gen.sub %w, %0 : (tensor<32x10xf32>, tensor<32x10xf32>) -> tensor<32x10xf32>
  return %1 : tensor<32x10xf32>
}

// Two blocks for each multiprocessor are enough; an unknown number of images counts as 64.
// CHECK-LABEL: func.func @images
// CHECK: gen.partial_sums %{{.*}} : tensor<4x4x64x128xf32> -> tensor<8x4x4x64x128xf32>
func.func @images(%x: tensor<?x18x18x64xf32> {gen.dims = ["n", "", "", ""]}, %y: tensor<?x8x8x128xf32> {gen.dims = ["n", "", "", ""]}) -> tensor<4x4x64x128xf32> {
  %0 = gen.convolution_weight_gradient %x, %y strides [2, 2] low [0, 0] high [0, 0] dilations [1, 1] channels_last
      : (tensor<?x18x18x64xf32>, tensor<?x8x8x128xf32>) -> tensor<4x4x64x128xf32>
  return %0 : tensor<4x4x64x128xf32>
}

// CHECK-LABEL: func.func @many_tiles
// CHECK-NOT: gen.partial_sums
func.func @many_tiles(%x: tensor<1024x4096xf32>, %w: tensor<4096x1024xf32>) -> tensor<1024x1024xf32> {
  %0 = gen.matmul %x, %w : (tensor<1024x4096xf32>, tensor<4096x1024xf32>) -> tensor<1024x1024xf32>
  return %0 : tensor<1024x1024xf32>
}

// CHECK-LABEL: func.func @short_sum
// CHECK-NOT: gen.partial_sums
func.func @short_sum(%x: tensor<4x1023xf32>, %w: tensor<1023x64xf32>) -> tensor<4x64xf32> {
  %0 = gen.matmul %x, %w : (tensor<4x1023xf32>, tensor<1023x64xf32>) -> tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// CHECK-LABEL: func.func @unknown_rows
// CHECK-NOT: gen.partial_sums
func.func @unknown_rows(%x: tensor<?x4096xf32> {gen.dims = ["n", ""]}, %w: tensor<4096x64xf32>) -> tensor<?x64xf32> {
  %0 = gen.matmul %x, %w : (tensor<?x4096xf32>, tensor<4096x64xf32>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
