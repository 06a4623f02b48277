"""Losses before and after steps of training, of f32 and of others: each falls, and as far as f32's.
losses.py FOLDER STEPS PRECISION...    (PRECISION.so and x.npy in FOLDER)"""
import pathlib
import struct
import subprocess
import sys

folder, steps, precisions = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]


def loss(precision, repeat):
    out = folder / f"{precision}.{repeat}"
    subprocess.run(["gen-run", folder / f"{precision}.so", "--entry=train_step", f"--input=x={folder / 'x.npy'}", "--seed=5",
                    f"--repeat={repeat}", f"--output-dir={out}"], check=True, stdout=subprocess.DEVNULL)
    return struct.unpack("<f", (out / "loss.npy").read_bytes()[-4:])[0]


first, last = loss("f32", 1), loss("f32", steps)
for precision in precisions:
    before, after = loss(precision, 1), loss(precision, steps)
    print(f"f32 {first} {last}, {precision} {before} {after}")
    if last > 0.85 * first or abs(before - first) > 0.01 * first or abs(after - last) > 0.02 * last:
        sys.exit("expected the losses of f32")
