// RUN: gen-opt %s --gen-fuse-kernels --split-input-file --gen-schedule-kernels | FileCheck %s

// CHECK: gen.kernel @matmul
// CHECK-SAME: schedule {depth = {{.*}}, pack_lhs = {{.*}}, pack_rhs = {{.*}}, panels = {{.*}}, row_block = {{.*}}, rows = 8 : i64, vectors = 3 : i64}
// A costly element makes a task of fewer.
// CHECK: gen.kernel @add
// CHECK-SAME: schedule {task = 32768 : i64}
// CHECK: gen.kernel @exp_exp
// CHECK-SAME: schedule {task = {{[124]....?}} : i64}
func.func @kernels(%x: tensor<512x512xf32>, %y: tensor<64x64xf32>, %z: tensor<100x100xf32>)
    -> (tensor<512x512xf32>, tensor<64x64xf32>, tensor<100x100xf32>) {
  %0 = gen.matmul %x, %x : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  %1 = gen.add %y, %y : (tensor<64x64xf32>, tensor<64x64xf32>) -> tensor<64x64xf32>
  %2 = gen.exp %z : tensor<100x100xf32>
  %3 = gen.exp %2 : tensor<100x100xf32>
  return %0, %1, %3 : tensor<512x512xf32>, tensor<64x64xf32>, tensor<100x100xf32>
}

// -----

// The variables do not fit a cache: a task of a weight's gradient goes along whole rows of it.
// CHECK: gen.kernel @matmul_sub
// CHECK-SAME: schedule {depth = 0 : i64, pack_lhs = false, pack_rhs = false, panels = 11 : i64, row_block = 16 : i64,
gen.variable @w : tensor<512x512xf32>
gen.variable @other : tensor<4096x1024xf32>
func.func @update(%x: tensor<128x512xf32>, %dy: tensor<128x512xf32>) {
  %w = gen.read @w : tensor<512x512xf32>
  %0 = gen.matmul %x transposed, %dy : (tensor<128x512xf32>, tensor<128x512xf32>) -> tensor<512x512xf32>
  %1 = gen.sub %w, %0 : (tensor<512x512xf32>, tensor<512x512xf32>) -> tensor<512x512xf32>
  gen.assign @w, %1 : tensor<512x512xf32>
  return
}
