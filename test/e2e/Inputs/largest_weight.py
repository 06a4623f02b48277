# Prints the largest magnitude of the f32 tensors of a safetensors file whose names begin as told.
import json, struct, sys
data = open(sys.argv[1], "rb").read()
length = struct.unpack("<Q", data[:8])[0]
largest = 0
for name, tensor in json.loads(data[8 : 8 + length]).items():
    if name.startswith(sys.argv[2]):
        begin, end = (8 + length + offset for offset in tensor["data_offsets"])
        largest = max(largest, max(map(abs, struct.unpack(f"<{(end - begin) // 4}f", data[begin:end]))))
print(f"{largest:.4f}")
