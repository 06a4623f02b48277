// RUN: gen-opt %s --gen-fuse-kernels --gen-rematerialize=budget=589824 | FileCheck %s
// RUN: gen-opt %s --gen-fuse-kernels --gen-rematerialize=budget=655360 | FileCheck %s --check-prefix=ENOUGH
// RUN: gen-opt %s --gen-fuse-kernels --gen-rematerialize | FileCheck %s --check-prefix=ENOUGH
// RUN: not gen-opt %s --gen-fuse-kernels --gen-rematerialize=budget=589823 2>&1 | FileCheck %s --check-prefix=REFUSED

// %0 has 65536 bytes and waits while %1, 524288, and %2, as large as %0, are in use.
// CHECK-LABEL: func.func @repeated
// CHECK-NEXT: %[[A:.*]] = gen.launch @[[K:.*]](%arg0)
// CHECK-NEXT: %[[WIDE:.*]] = gen.launch @{{.*}}(%[[A]], %arg1)
// CHECK-NEXT: %[[NARROW:.*]] = gen.launch @{{.*}}(%[[WIDE]], %arg1)
// CHECK-NEXT: %[[AGAIN:.*]] = gen.launch @[[K]](%arg0)
// CHECK-NEXT: gen.launch @{{.*}}(%[[NARROW]], %[[AGAIN]])
// ENOUGH-LABEL: func.func @repeated
// ENOUGH-COUNT-4: gen.launch
// ENOUGH-NEXT: return
// REFUSED: error: expected an entry that runs in 589823 bytes, got one that needs 0 for variables and 589824 for intermediate values, with all repeated that helps
// REFUSED: note: at the peak: 524288 bytes, 'tensor<128x1024xf32>' of @matmul
// REFUSED: note: at the peak: 65536 bytes, 'tensor<128x128xf32>' of @matmul
func.func @repeated(%x: tensor<128x128xf32>, %w: tensor<128x1024xf32>) -> tensor<128x128xf32> {
  %0 = gen.matmul %x, %x : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  %1 = gen.matmul %0, %w : (tensor<128x128xf32>, tensor<128x1024xf32>) -> tensor<128x1024xf32>
  %2 = gen.matmul %1, %w transposed : (tensor<128x1024xf32>, tensor<128x1024xf32>) -> tensor<128x128xf32>
  %3 = gen.matmul %2, %0 : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  return %3 : tensor<128x128xf32>
}

// What is needed only after the peak is computed there.
// CHECK-LABEL: func.func @moved
// CHECK-NEXT: %[[WIDE:.*]] = gen.launch @{{.*}}(%arg0, %arg1)
// CHECK-NEXT: %[[NARROW:.*]] = gen.launch @{{.*}}(%[[WIDE]], %arg1)
// CHECK-NEXT: %[[A:.*]] = gen.launch @{{.*}}(%arg0)
// CHECK-NEXT: gen.launch @{{.*}}(%[[NARROW]], %[[A]])
func.func @moved(%x: tensor<128x128xf32>, %w: tensor<128x1024xf32>) -> tensor<128x128xf32> {
  %0 = gen.matmul %x, %x : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  %1 = gen.matmul %x, %w : (tensor<128x128xf32>, tensor<128x1024xf32>) -> tensor<128x1024xf32>
  %2 = gen.matmul %1, %w transposed : (tensor<128x1024xf32>, tensor<128x1024xf32>) -> tensor<128x128xf32>
  %3 = gen.matmul %2, %0 : (tensor<128x128xf32>, tensor<128x128xf32>) -> tensor<128x128xf32>
  return %3 : tensor<128x128xf32>
}
