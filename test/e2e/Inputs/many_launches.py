"""Prints a model of many products of different sizes: x -> x w[:n]^T w[:n] 6.4 / n, each with a kernel of its own."""

LAST = 88


def row(i):
    values = [0.0] * 8
    values[i % 8], values[(i + 1) % 8] = (1.0 if i % 3 else -1.0), 0.25
    return "[" + ", ".join(map(str, values)) + "]"


weight = f"tensor<{LAST}x8xf32>"
print(f"gen.variable @w : {weight} = dense<[{', '.join(map(row, range(LAST)))}]> : {weight}")
print("func.func @chain() -> (tensor<8x8xf32>, tensor<8x8xf32>) {")
print(f"  %w = gen.read @w : {weight}")
print(f"  %x7 = gen.slice %w starts [0, 0] limits [8, 8] strides [1, 1] : {weight} -> tensor<8x8xf32>")
for n in range(8, LAST + 1):
    print(f"  %s{n} = gen.constant dense<{6.4 / n:.6e}> : tensor<f32>")
    print(f"  %w{n} = gen.slice %w starts [0, 0] limits [{n}, 8] strides [1, 1] : {weight} -> tensor<{n}x8xf32>")
    print(f"  %y{n} = gen.matmul %x{n - 1}, %w{n} transposed : (tensor<8x8xf32>, tensor<{n}x8xf32>) -> tensor<8x{n}xf32>")
    print(f"  %z{n} = gen.matmul %y{n}, %w{n} : (tensor<8x{n}xf32>, tensor<{n}x8xf32>) -> tensor<8x8xf32>")
    print(f"  %x{n} = gen.mul %z{n}, %s{n} : (tensor<8x8xf32>, tensor<f32>) -> tensor<8x8xf32>")
print(f"  %early = gen.add %x8, %x{LAST} : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>")
print(f"  return %x{LAST}, %early : tensor<8x8xf32>, tensor<8x8xf32>")
print("}")
