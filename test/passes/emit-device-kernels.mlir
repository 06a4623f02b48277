// RUN: gen-opt %s --split-input-file --gen-fuse-kernels="frames=false" --gen-emit-device-kernels | FileCheck %s

// How many blocks there are is computed on the CPU; what a thread does, in a module of its own.
// CHECK-LABEL: llvm.func internal @exp_add.tasks(%arg0: !llvm.ptr, %arg1: !llvm.ptr) -> i64
// CHECK: %[[BLOCKS:.*]] = arith.constant 4 : i64
// CHECK: llvm.return %[[BLOCKS]]
// CHECK: module @gen.device
// CHECK: llvm.func ptx_kernelcc @gen_exp_add(%[[X:.*]]: !llvm.ptr, %[[Y:.*]]: !llvm.ptr, %[[RESULT:.*]]: !llvm.ptr) attributes {passthrough = {{\[\[}}"nvvm.maxntid", "256"], ["nvvm.minctasm", "2"]]}
// CHECK-DAG: nvvm.read.ptx.sreg.ctaid.x
// CHECK-DAG: nvvm.read.ptx.sreg.tid.x
// CHECK: arith.cmpi slt
// CHECK: scf.if
// CHECK: llvm.load {{.*}} : !llvm.ptr -> f32
// CHECK: math.exp {{.*}} : f32
// CHECK: arith.addf
// CHECK: llvm.store {{.*}} : f32, !llvm.ptr
func.func @f(%x: tensor<1000xf32>, %y: tensor<1000xf32>) -> tensor<1000xf32> {
  %0 = gen.exp %x : tensor<1000xf32>
  %1 = gen.add %0, %y : (tensor<1000xf32>, tensor<1000xf32>) -> tensor<1000xf32>
  return %1 : tensor<1000xf32>
}

// -----

// Which memory a launch touches: so many bytes of the first argument, of the second, none of what is
// a size, of the result.
// CHECK-LABEL: llvm.func internal @compare.bytes(%arg0: !llvm.ptr, %arg1: !llvm.ptr)
// CHECK: %[[SIZE:.*]] = llvm.getelementptr %arg0[2]
// CHECK: %[[ROWS:.*]] = llvm.load %[[SIZE]]
// CHECK: %[[ELEMENTS:.*]] = arith.muli %[[ROWS]], %c20
// CHECK: %[[INPUT:.*]] = arith.muli %[[ELEMENTS]], %c4
// CHECK: %[[TABLE:.*]] = arith.constant 80 : i64
// CHECK: %[[NONE:.*]] = arith.constant 0 : i64
// CHECK: %[[RESULT:.*]] = arith.muli %[[ROWS]], %c20
// CHECK: %[[FIRST:.*]] = llvm.getelementptr %arg1[0]
// CHECK: llvm.store %[[INPUT]], %[[FIRST]]
// CHECK: %[[SECOND:.*]] = llvm.getelementptr %arg1[1]
// CHECK: llvm.store %[[TABLE]], %[[SECOND]]
// CHECK: %[[THIRD:.*]] = llvm.getelementptr %arg1[2]
// CHECK: llvm.store %[[NONE]], %[[THIRD]]
// CHECK: %[[FOURTH:.*]] = llvm.getelementptr %arg1[3]
// CHECK: llvm.store %[[RESULT]], %[[FOURTH]]
// CHECK: llvm.return
func.func @sizes(%x: tensor<?x20xf32>, %y: tensor<20xf32>) -> tensor<?x20xi1> {
  %0 = gen.compare gt %x, %y : (tensor<?x20xf32>, tensor<20xf32>) -> tensor<?x20xi1>
  return %0 : tensor<?x20xi1>
}

// -----

// A block of threads has copied a step of both operands to shared memory, and starts copies of a later
// one before it multiplies. Epilogues follow from the sums, which lie in shared memory in the end.
// CHECK: llvm.mlir.global internal @gen_matmul_relu_shared() {addr_space = 3 : i32, alignment = 16 : i64}
// CHECK-LABEL: llvm.func ptx_kernelcc @gen_matmul_relu
// CHECK: scf.for
// CHECK: nvvm.cp.async.shared.global
// CHECK: nvvm.cp.async.commit.group
// CHECK: scf.for {{.*}} iter_args
// CHECK: nvvm.cp.async.wait.group 2
// CHECK: nvvm.barrier
// CHECK: nvvm.cp.async.shared.global
// CHECK: nvvm.cp.async.commit.group
// CHECK: scf.for {{.*}} iter_args
// CHECK: llvm.load {{.*}} : !llvm.ptr<3> -> vector<4xf32>
// CHECK: math.fma {{.*}} : vector<4xf32>
// CHECK: nvvm.barrier
// CHECK: llvm.store {{.*}} : vector<4xf32>, !llvm.ptr<3>
// CHECK: nvvm.barrier
// CHECK: %[[SUM:.*]] = llvm.load {{.*}} : !llvm.ptr<3> -> f32
// CHECK: arith.maximumf {{.*}}%[[SUM]]
// CHECK: llvm.store {{.*}} : f32, !llvm.ptr
// CHECK-NOT: nvvm.barrier
func.func @product(%x: tensor<?x64xf32>, %w: tensor<64x64xf32>) -> tensor<?x64xf32> {
  %0 = gen.matmul %x, %w transposed : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  %1 = gen.relu %0 : tensor<?x64xf32>
  return %1 : tensor<?x64xf32>
}

// -----

// A lane takes four elements at once, where memory begins so, or one by one. The lanes of a warp fold
// what they have of a row without memory, its warps in shared memory.
// CHECK: llvm.mlir.global internal @gen_reduce_sum_shared() {addr_space = 3 : i32
// CHECK-LABEL: llvm.func ptx_kernelcc @gen_reduce_sum
// CHECK: scf.if
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK: } else {
// CHECK: llvm.load {{.*}} {alignment = 4 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK-COUNT-5: nvvm.shfl.sync bfly
// CHECK-NOT: nvvm.shfl.sync
// CHECK: %[[SLOT:.*]] = llvm.getelementptr {{.*}}!llvm.ptr<3>, f32
// CHECK-NEXT: llvm.store {{.*}}, %[[SLOT]] {{.*}} : f32, !llvm.ptr<3>
// CHECK: nvvm.barrier
// CHECK-COUNT-8: llvm.load {{.*}} : !llvm.ptr<3> -> f32
// CHECK: nvvm.barrier
// CHECK-NOT: nvvm.barrier
func.func @sum(%x: tensor<64x1000xf32>) -> tensor<64xf32> {
  %0 = gen.reduce_sum %x axes [1] : tensor<64x1000xf32> -> tensor<64xf32>
  return %0 : tensor<64xf32>
}

// -----

// Keys and values pass through shared memory; scores do not leave it.
// CHECK: llvm.mlir.global internal @gen_attention_shared() {addr_space = 3 : i32
// CHECK-LABEL: llvm.func ptx_kernelcc @gen_attention
// CHECK: scf.for {{.*}} iter_args
// CHECK: nvvm.barrier
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<4xf32>
// CHECK: nvvm.barrier
// CHECK: math.fma
// CHECK: nvvm.shfl.sync bfly
// CHECK: math.exp
// CHECK: nvvm.bar.warp.sync
// CHECK: math.fma
// CHECK: nvvm.barrier
// CHECK: nvvm.barrier
// CHECK-NOT: nvvm.barrier
func.func @heads(%q: tensor<2x70x4x32xf32>, %k: tensor<2x50x4x32xf32>, %v: tensor<2x50x4x32xf32>) -> tensor<2x70x4x32xf32> {
  %z, %l = gen.attention %q, %k, %v scale 0.2 : (tensor<2x70x4x32xf32>, tensor<2x50x4x32xf32>, tensor<2x50x4x32xf32>) -> (tensor<2x70x4x32xf32>, tensor<2x4x70xf32>)
  return %z : tensor<2x70x4x32xf32>
}
