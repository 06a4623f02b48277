// RUN: gen-opt %s --gen-fuse-kernels --gen-schedule-kernels | FileCheck %s

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
