# Writes an IDX file of small pictures of random colours.
import random, struct, sys
random.seed(1)
with open(sys.argv[1], "wb") as file:
    file.write(bytes([0, 0, 8, 4]) + struct.pack(">4I", 40, 32, 32, 3))
    for _ in range(40):
        file.write(bytes(random.randrange(256) for _ in range(3)) * (32 * 32))
