// RUN: gen-opt %s --gen-resolve-dimensions --gen-fuse-kernels --gen-deduplicate-kernels | FileCheck %s

// One kernel for all streams.
// CHECK-LABEL: func.func @init
// CHECK-DAG: %[[A:.*]] = arith.constant 7 : index
// CHECK-DAG: %[[B:.*]] = arith.constant 4294967295 : index
// CHECK: gen.launch @[[UNIFORM:.*]](%{{.*}}, %{{.*}}, %[[A]])
// CHECK: gen.launch @[[UNIFORM]](%{{.*}}, %{{.*}}, %[[B]])
// CHECK: gen.kernel @[[UNIFORM]](%{{.*}}: tensor<i64>, %{{.*}}: tensor<i64>, %[[SHIFT:.*]]: index)
// CHECK: gen.random_uniform %{{.*}}, %{{.*}} stream 0 + %[[SHIFT]] : tensor<4xf32>
// CHECK-NOT: gen.kernel
gen.variable @seed : tensor<i64>
gen.variable @a : tensor<4xf32>
gen.variable @b : tensor<4xf32>
func.func @init(%counter: tensor<i64>) {
  %key = gen.read @seed : tensor<i64>
  %0 = gen.random_uniform %key, %counter stream 7 : tensor<4xf32>
  %1 = gen.random_uniform %key, %counter stream 4294967295 : tensor<4xf32>
  gen.assign @a, %0 : tensor<4xf32>
  gen.assign @b, %1 : tensor<4xf32>
  return
}
