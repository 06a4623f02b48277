// RUN: gen-opt %s --canonicalize | gen-opt | FileCheck %s

// CHECK: gen.variable @encoder.weight : tensor<2x3xf32>
gen.variable @encoder.weight : tensor<2x3xf32>
// CHECK: gen.variable @step : tensor<i64> = dense<1> : tensor<i64>
gen.variable @step : tensor<i64> = dense<1> : tensor<i64>

// Assignments stay, and in their order; a read that nobody uses goes.
// CHECK-LABEL: @update
func.func @update(%w: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %unused = gen.read @step : tensor<i64>
  // CHECK-NEXT: %[[OLD:.*]] = gen.read @encoder.weight : tensor<2x3xf32>
  %old = gen.read @encoder.weight : tensor<2x3xf32>
  // CHECK-NEXT: gen.assign @encoder.weight, %{{.*}} : tensor<2x3xf32>
  gen.assign @encoder.weight, %w : tensor<2x3xf32>
  // CHECK-NEXT: %[[NEW:.*]] = gen.read @encoder.weight : tensor<2x3xf32>
  %new = gen.read @encoder.weight : tensor<2x3xf32>
  // CHECK-NEXT: gen.add %[[OLD]], %[[NEW]]
  %0 = gen.add %old, %new : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: @gradient
func.func @gradient(%s: tensor<f32>, %x: tensor<2xf32>, %y: tensor<f32>) -> (tensor<2xf32>, tensor<f32>) {
  // CHECK-NEXT: %{{.*}}:2 = gen.gradient %{{.*}} wrt %{{.*}}, %{{.*}} : tensor<f32>, tensor<2xf32>, tensor<f32> -> tensor<2xf32>, tensor<f32>
  %0:2 = gen.gradient %s wrt %x, %y : tensor<f32>, tensor<2xf32>, tensor<f32> -> tensor<2xf32>, tensor<f32>
  return %0#0, %0#1 : tensor<2xf32>, tensor<f32>
}
