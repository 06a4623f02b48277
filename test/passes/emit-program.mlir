// RUN: gencc %s --emit=loops -o - | FileCheck %s

// The launch program fills a frame and calls the runtime; the tables describe the entry.
// CHECK-LABEL: llvm.func internal @main.plan(
// CHECK: llvm.return
// CHECK-LABEL: llvm.func internal @main.run(
// CHECK: llvm.alloca
// CHECK: llvm.call @exp.tasks
// CHECK: llvm.mlir.addressof @exp.info
// CHECK: llvm.call %{{.*}} : !llvm.ptr, (!llvm.ptr, !llvm.ptr, i64, !llvm.ptr, i64, i64) -> ()
// CHECK-NOT: memcpy
// CHECK: llvm.return
// CHECK-DAG: llvm.mlir.global external constant @gen_artefact()
// CHECK-DAG: section = ".gen.header"
module @model {
  func.func public @main(%x: tensor<?x4xf32> {gen.name = "x", gen.dims = ["batch", ""]}) -> (tensor<?x4xf32> {gen.name = "y"}) {
    %0 = gen.exp %x : tensor<?x4xf32>
    return %0 : tensor<?x4xf32>
  }
}
