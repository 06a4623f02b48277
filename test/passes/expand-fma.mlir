// RUN: gen-opt %s --split-input-file --gen-expand-fma | FileCheck %s

// The processor lacks the instruction: for functions in f64, the sum rounded to odd.
// CHECK-LABEL: @lanes
// CHECK: %[[A:.*]] = arith.extf %{{.*}} : vector<16xf32> to vector<16xf64>
// CHECK: %[[PRODUCT:.*]] = arith.mulf
// CHECK: %[[SUM:.*]] = arith.addf %[[PRODUCT]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[SUM]] : vector<16xf64> to vector<16xi64>
// CHECK: arith.select
// CHECK: arith.truncf {{.*}} : vector<16xf64> to vector<16xf32>
// CHECK-NOT: fma
module attributes {gen.features = 1 : i32} {
  func.func @lanes(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
    %0 = math.fma %a, %b, %c : vector<16xf32>
    return %0 : vector<16xf32>
  }
  // CHECK-LABEL: @of_a_product
  // CHECK: %[[PRODUCT:.*]] = arith.mulf %{{.*}} : vector<16xf32>
  // CHECK: arith.addf %[[PRODUCT]], %{{.*}} : vector<16xf32>
  func.func @of_a_product(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
    %0 = math.fma %a, %b, %c fastmath<contract> : vector<16xf32>
    return %0 : vector<16xf32>
  }
  // CHECK-LABEL: @scalar
  // CHECK: arith.truncf {{.*}} : f64 to f32
  func.func @scalar(%a: f32, %b: f32, %c: f32) -> f32 {
    %0 = math.fma %a, %b, %c : f32
    return %0 : f32
  }
  // CHECK-LABEL: @double
  // CHECK: math.fma {{.*}} : f64
  func.func @double(%a: f64, %b: f64, %c: f64) -> f64 {
    %0 = math.fma %a, %b, %c : f64
    return %0 : f64
  }
}

// -----

// x86-64-v3 has it.
// CHECK-LABEL: @instruction
// CHECK: math.fma {{.*}} : vector<16xf32>
module attributes {gen.features = 3 : i32} {
  func.func @instruction(%a: vector<16xf32>, %b: vector<16xf32>, %c: vector<16xf32>) -> vector<16xf32> {
    %0 = math.fma %a, %b, %c : vector<16xf32>
    return %0 : vector<16xf32>
  }
}
