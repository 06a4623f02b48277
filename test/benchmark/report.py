"""What the benchmark against other compilers has measured, as a table in Markdown and as a chart.

A row of results is a dictionary: a run ({"workload", "peer", "threads", "round", "ms_median", ...}, the peer "gencc" being
ours), what is known of a workload ({"workload", "flops", "bytes", "compile_s", ...}), or the machine's limits at one time
({"ceiling": threads, "fma_gflops", "read_gbs", ...}).
"""
import collections
import json
import math
import os
import platform
import statistics
from xml.sax.saxutils import escape

OURS = "gencc"


def read(paths):
    rows = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            rows += [json.loads(line) for line in file if line.strip()]
    return rows


def key(row):
    """What makes a row the same measurement as another."""
    return tuple(row.get(name) for name in ("ceiling", "workload", "peer", "threads", "round"))


def failed(rows, like):
    """True if that competitor has failed at that workload in an earlier round: it would again."""
    return any("failed" in row and all(row.get(name) == like[name] for name in ("workload", "peer", "threads"))
               for row in rows)


class Results:
    def __init__(self, rows):
        self.runs = collections.defaultdict(lambda: collections.defaultdict(list))
        self.info, self.ceilings, self.failures = {}, collections.defaultdict(list), {}
        for row in rows:
            if "ceiling" in row:
                self.ceilings[row["ceiling"]].append(row)
            elif "peer" not in row:
                self.info[row["workload"]] = {**self.info.get(row["workload"], {}), **row}
            elif "failed" in row:
                self.failures[row["workload"], row["peer"]] = row["failed"]
            else:
                self.runs[row["workload"], row["threads"]][row["peer"]].append(row)

    def figure(self, cell, peer, name="ms_median"):
        """The median over the rounds."""
        return statistics.median(row[name] for row in self.runs[cell][peer])

    def peers(self, cell):
        return [peer for peer in self.runs[cell] if peer != OURS]

    def ratio(self, cell, name="ms_median"):
        """The best peer's time over ours: more than 1 where ours is faster. None without a peer."""
        times = [self.figure(cell, peer, name) for peer in self.peers(cell)]
        return min(times) / self.figure(cell, OURS, name) if times and OURS in self.runs[cell] else None

    def limit_ms(self, workload, threads):
        """The larger of the time for the FLOPs at the fastest core's rate and for the compulsory bytes at the
        bandwidth of reading again what was just read, as much as they are."""
        if not self.ceilings[1] or not self.ceilings[threads] or "flops" not in self.info.get(workload, {}):
            return None
        info = self.info[workload]
        gflops = threads * max(row["fma_gflops"] for row in self.ceilings[1])
        sizes = sorted(map(int, self.ceilings[threads][0]["read_gbs"]))
        size = next((size for size in sizes if size >= info["bytes"] / 2 ** 20), sizes[-1])
        gbs = statistics.median(row["read_gbs"][str(size)] for row in self.ceilings[threads])
        return max(info["flops"] / gflops, info["bytes"] / gbs) / 1e6

    def cells(self):
        """(workload, threads) that ours has run, in the order of the first run."""
        return [cell for cell in self.runs if OURS in self.runs[cell]]


def number(value):
    return "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table_row(results, cell):
    workload, threads = cell
    ours, info, limit = results.figure(cell, OURS), results.info.get(workload, {}), results.limit_ms(*cell)
    peers = sorted(results.peers(cell), key=lambda peer: results.figure(cell, peer))
    times = [f"{peer} {number(results.figure(cell, peer))}" for peer in peers]
    times += [f"{peer} failed" for name, peer in results.failures if name == workload and peer not in peers]
    memory = [number(results.figure(cell, OURS, "peak_rss_mib"))]
    if peers:
        memory.append(number(min(results.figure(cell, peer, "peak_rss_mib") for peer in peers)))
    ratios = [f"{ratio:.2f}" if (ratio := results.ratio(cell, name)) else "" for name in ("ms_median", "ms_min")]
    share = "" if limit is None else f"{100 * limit / ours:.0f}"
    return [f"`{workload}`", str(threads), number(ours), times[0] if times else "", *ratios, share, " / ".join(memory),
            number(info.get("compile_s")), number(info["artefact_bytes"] / 1000) if "artefact_bytes" in info else "",
            ", ".join(times[1:])]


HEAD = ["workload", "threads", "gencc, ms", "best peer, ms", "ratio of medians", "ratio of minima", "% of the limit",
        "MiB: ours / leanest peer", "compile, s", ".so, kB", "others, ms"]


def is_training(workload):
    return workload.startswith("train_")


def geometric_mean(values):
    return math.exp(statistics.mean(map(math.log, values)))


def means(results):
    """A line for each kind of workload and number of threads: the mean ratio and the least."""
    groups = collections.defaultdict(dict)
    for cell in results.cells():
        if ratio := results.ratio(cell):
            groups["training" if is_training(cell[0]) else "inference", cell[1]][cell[0]] = ratio
    for (kind, threads), ratios in sorted(groups.items()):
        least = min(ratios, key=ratios.get)
        yield (f"- {kind}, {threads} thread{'s' * (threads > 1)}: geometric mean {geometric_mean(ratios.values()):.2f} over "
               f"{len(ratios)} workload{'s' * (len(ratios) > 1)}; least {ratios[least]:.2f} (`{least}`)")


def speedups(results):
    """2 threads over 1, by workload."""
    for workload, threads in results.cells():
        if threads == 2 and (workload, 1) in results.cells():
            yield workload, results.figure((workload, 1), OURS) / results.figure((workload, 2), OURS)


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return names[0] if names else platform.processor()


def markdown(rows):
    results = Results(rows)
    lines = ["| " + " | ".join(HEAD) + " |", "|---|--:|--:|---|--:|--:|--:|--:|--:|--:|---|"]
    lines += ["| " + " | ".join(table_row(results, cell)) + " |" for cell in results.cells()]
    lines += ["", *means(results)]
    if gains := [f"{workload} {gain:.2f}" for workload, gain in speedups(results)]:
        lines += ["- 2 threads over 1: " + ", ".join(gains)]
    for threads, ceilings in sorted(results.ceilings.items()):
        bandwidth = {size: statistics.median(row["read_gbs"][size] for row in ceilings) for size in ceilings[0]["read_gbs"]}
        lines += [f"- limits, {threads} thread{'s' * (threads > 1)}: {max(row['fma_gflops'] for row in ceilings):.0f} GFLOP/s; "
                  "read, GB/s by MiB: " + ", ".join(f"{size}: {rate:.0f}" for size, rate in bandwidth.items())]
    lines += [f"- failed: {workload}, {peer}: {why}" for (workload, peer), why in results.failures.items()]
    rounds = max((len(runs[OURS]) for runs in results.runs.values() if OURS in runs), default=0)
    return "\n".join([*lines, "", f"{processor()}, {os.cpu_count()} processors; rounds: {rounds}"])


# ---- the chart: a bar a workload and number of threads, its length the ratio --------------------

COLOURS = {1: "#4477aa", 2: "#ee8866"}
LEFT, SCALE, BAR, GAP, TOP, MOST = 190, 160, 9, 8, 46, 4.0


def bar(ratio, threads, y):
    width, colour = min(ratio, MOST) * SCALE, COLOURS.get(threads, "#999999")
    text = f"{ratio:.2f}" + (" (cut)" if ratio > MOST else "")
    return (f'<rect x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
            f'<text x="{LEFT + width + 4:.1f}" y="{y + BAR - 1}" font-size="9">{text}</text>')


def svg(rows):
    """Ratios of medians: the best peer's time over ours."""
    results = Results(rows)
    ratios = collections.defaultdict(dict)
    for workload, threads in results.cells():
        if ratio := results.ratio((workload, threads)):
            ratios[workload][threads] = ratio
    parts, y = [], TOP
    for workload in sorted(ratios, key=is_training):  # inference first
        height = len(ratios[workload]) * BAR
        parts.append(f'<text x="{LEFT - 8}" y="{y + height / 2 + 4:.0f}" font-size="11" text-anchor="end">{escape(workload)}</text>')
        for threads, ratio in sorted(ratios[workload].items()):
            parts.append(bar(ratio, threads, y))
            y += BAR
        y += GAP
    for tick in range(int(MOST) + 1):
        x, dash = LEFT + tick * SCALE, "" if tick == 1 else ' stroke-dasharray="2,3"'
        parts.insert(0, f'<line x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{y}" stroke="#888888"{dash}/>'
                        f'<text x="{x}" y="{TOP - 10}" font-size="10" text-anchor="middle">{tick}</text>')
    shown = sorted({threads for by in ratios.values() for threads in by})
    legend = "".join(f'<tspan fill="{COLOURS.get(threads, "#999999")}"> ■ {threads} thread{"s" * (threads > 1)}</tspan>'
                     for threads in shown)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + int(MOST) * SCALE + 70}" height="{y + 10}" '
            'font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>\n'
            f'<text x="{LEFT}" y="18" font-size="13">best peer\'s time / gencc\'s time (more than 1: gencc is faster){legend}</text>\n'
            + "\n".join(parts) + "\n</svg>\n")
