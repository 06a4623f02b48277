// RUN: gen-opt %s --gen-expand-math | FileCheck %s

// CHECK-LABEL: @polynomial
// CHECK-NOT: math.exp
// CHECK: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: call
func.func @polynomial(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// f64 functions are the C library's.
// CHECK-LABEL: @library
// CHECK: call @exp(%{{.*}}) : (f64) -> f64
func.func @library(%x: f64) -> f64 {
  %0 = math.exp %x : f64
  return %0 : f64
}
