"""Prints a model of products and convolutions of variables, of sizes that are no multiples of anything."""
import random

random.seed(5)


def tensor(*shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def values(*shape):
    if not shape:
        return f"{random.uniform(-0.25, 0.25):.6f}"
    return "[" + ", ".join(values(*shape[1:]) for _ in range(shape[0])) + "]"


variables, body, results, types = [], [], [], []


def variable(*shape):
    name = f"v{len(variables)}"
    variables.append(f"gen.variable @{name} : {tensor(*shape)} = dense<{values(*shape)}> : {tensor(*shape)}")
    body.append(f"  %{name} = gen.read @{name} : {tensor(*shape)}")
    return name


def result(text, *shape):
    results.append(f"%r{len(results)}")
    types.append(tensor(*shape))
    body.append(f"  {results[-1]} = {text} -> {tensor(*shape)}")


for m, n, k in [(1, 17, 5), (1, 48, 33), (1, 130, 7), (3, 64, 1), (9, 33, 31), (33, 50, 20), (2, 16, 16)]:
    x = variable(m, k)
    w = variable(n, k)
    result(f"gen.matmul %{x}, %{w} transposed : ({tensor(m, k)}, {tensor(n, k)})", m, n)
x = variable(2, 20, 5, 7)
w = variable(33, 20, 3, 3)
result(f"gen.convolution %{x}, %{w} strides [1, 1] low [1, 1] high [1, 1] dilations [1, 1] : "
       f"({tensor(2, 20, 5, 7)}, {tensor(33, 20, 3, 3)})", 2, 33, 5, 7)

print("\n".join(variables))
print(f"func.func @main() -> ({', '.join(types)}) {{")
print("\n".join(body))
print(f"  return {', '.join(results)} : {', '.join(types)}\n}}")
