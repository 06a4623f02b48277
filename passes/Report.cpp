//===- Report.cpp - what the compiler made of a model ---------------------===//
//
// Reads what the passes left in the planned module: launches, kernels, schedules, places. Sizes
// that are known only when called stay symbols: work is a polynomial of them.
//
//===----------------------------------------------------------------------===//

#include "passes/Report.h"

#include "passes/LaunchWork.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <map>

namespace mlir::gen {
namespace {

template <class T> std::string printed(T thing) {
  std::string text;
  llvm::raw_string_ostream out(text);
  thing.print(out);
  return escaped(text);
}

/// A value in the arena, from the launch that makes it to the last that reads it.
struct Resident {
  LaunchOp launch;
  RankedTensorType type;
  int64_t first, last;
  double bytes, offset;
};

/// Symbols have this value in the memory plan's numbers.
constexpr double kSymbolValue = 128;

constexpr const char *kStyle = R"(
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 20%, Canvas); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } .n { text-align: right; white-space: nowrap; }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { overflow-x: auto; }
svg { width: 100%; height: auto; border: 1px solid var(--line); }
.contraction { fill: #4477aa; background: #4477aa; } .reduction { fill: #228833; background: #228833; }
.pointwise { fill: #ccbb44; background: #ccbb44; }
svg rect { fill-opacity: .75; stroke: Canvas; stroke-width: .5; vector-effect: non-scaling-stroke; }
.key i { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
)";

class ReportWriter {
public:
  ReportWriter(ModuleOp module, StringRef target, llvm::raw_ostream &out)
      : module(module), target(target), out(out) {}

  void write() {
    std::string name = escaped(module.getSymName().value_or("model"));
    out << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>" << name
        << "</title>\n<meta name=\"viewport\" content=\"width=device-width\">\n<style>" << kStyle
        << "</style></head>\n<body>\n<h1>" << name << "</h1>\n<p>Compiled by gencc 0.1 for "
        << escaped(target) << ".</p>\n";
    for (auto function : module.getOps<func::FuncOp>())
      if (function.isPublic())
        writeEntry(function);
    writeKernels();
    writeVariables();
    out << "</body></html>\n";
  }

private:
  void writeEntry(func::FuncOp function) {
    EntryProgram program(function, noVariables);
    out << "<h2>Entry <code>" << escaped(function.getSymName()) << "</code></h2>\n<p><code>"
        << printed(function.getFunctionType()) << "</code></p>\n";
    out << "<div class=\"wide\"><table><tr><th class=\"n\">#</th><th>kernel</th><th>family</th>"
           "<th>results in</th><th class=\"n\">FLOP</th><th class=\"n\">bytes</th></tr>\n";
    Amount flops, bytes;
    int64_t number = 0;
    llvm::DenseMap<Operation *, LaunchWork> works;
    for (LaunchOp launch : launchesOf(function)) {
      auto kernel = module.lookupSymbol<KernelOp>(launch.getKernel());
      ++launches[kernel];
      const LaunchWork &work = works.try_emplace(launch, launch, kernel, program).first->second;
      flops += work.flops;
      bytes += work.bytes;
      out << "<tr><td class=\"n\">" << number++ << "</td><td><code>" << escaped(launch.getKernel())
          << "</code></td><td>" << kernel.getFamily() << "</td><td><code>" << places(launch)
          << "</code></td><td class=\"n\">" << work.flops.str() << "</td><td class=\"n\">"
          << work.bytes.str() << "</td></tr>\n";
    }
    out << "<tr><th></th><th>" << number << " launches</th><th></th><th></th><th class=\"n\">"
        << flops.str() << "</th><th class=\"n\">" << bytes.str() << "</th></tr>\n</table></div>\n";
    writeMemory(function, works);
  }

  /// In program order, those of a loop's step once.
  static SmallVector<LaunchOp> launchesOf(func::FuncOp function) {
    SmallVector<LaunchOp> launches;
    function.walk([&](LaunchOp launch) { launches.push_back(launch); });
    return launches;
  }

  static std::string places(LaunchOp launch) {
    std::string text;
    for (Attribute place : launch->getAttrOfType<ArrayAttr>(kPlacesAttr))
      text +=
          (text.empty() ? "" : ", ") +
          llvm::TypeSwitch<Attribute, std::string>(place)
              .Case([](ArenaAttr arena) { return "+" + std::to_string(arena.getOffset()); })
              .Case([](SlotAttr slot) { return "slot " + std::to_string(slot.getNumber()); })
              .Case([](InVariableAttr in) { return "@" + escaped(in.getVariable().getValue()); })
              .Case([](InResultAttr in) { return "result " + std::to_string(in.getNumber()); })
              .Case([](NextAttr in) { return "next " + std::to_string(in.getNumber()); })
              .Case([](InSliceAttr) { return std::string("slice"); })
              .Default([](Attribute) { return std::string("?"); });
    return text;
  }

  /// The values in the arena. With dynamic dimensions slots follow each other, each as large as its
  /// largest value.
  static SmallVector<Resident> findResidents(func::FuncOp function,
                                             llvm::DenseMap<Operation *, LaunchWork> &work,
                                             double &total) {
    llvm::DenseMap<Operation *, int64_t> time;
    for (auto [i, launch] : llvm::enumerate(launchesOf(function)))
      time[launch] = i;
    SmallVector<Resident> residents;
    std::map<int64_t, double> slotBytes;
    SmallVector<int64_t> slots;
    for (LaunchOp launch : launchesOf(function))
      for (auto [i, place] : llvm::enumerate(launch->getAttrOfType<ArrayAttr>(kPlacesAttr))) {
        auto arena = dyn_cast<ArenaAttr>(place);
        auto slot = dyn_cast<SlotAttr>(place);
        if (!arena && !slot)
          continue;
        int64_t last = time[launch];
        for (Operation *user : launch->getResult(i).getUsers())
          last = std::max<int64_t>(last, isa<LaunchOp>(user) ? time[user] : time.size() - 1);
        double bytes = work.find(launch)->second.results[i].at(kSymbolValue);
        bytes = std::ceil(bytes / 64) * 64;
        residents.push_back({launch, cast<RankedTensorType>(launch->getResult(i).getType()),
                             time[launch], last, bytes,
                             arena ? static_cast<double>(arena.getOffset()) : 0});
        slots.push_back(slot ? slot.getNumber() : -1);
        if (slot)
          slotBytes[slot.getNumber()] = std::max(slotBytes[slot.getNumber()], bytes);
      }
    std::map<int64_t, double> slotOffsets;
    total = 0;
    for (auto [slot, bytes] : slotBytes)
      slotOffsets[slot] = std::exchange(total, total + bytes);
    for (auto [resident, slot] : llvm::zip(residents, slots)) {
      if (slot >= 0)
        resident.offset = slotOffsets[slot];
      total = std::max(total, resident.offset + resident.bytes);
    }
    return residents;
  }

  void writeMemory(func::FuncOp function, llvm::DenseMap<Operation *, LaunchWork> &work) {
    double total = 0, bound = 0;
    SmallVector<Resident> residents = findResidents(function, work, total);
    if (residents.empty()) {
      out << "<p>No arena: every value is a result, a variable, or inside a kernel.</p>\n";
      return;
    }
    for (const Resident &now : residents) {
      double alive = 0;
      for (const Resident &other : residents)
        alive += other.first <= now.first && now.first <= other.last ? other.bytes : 0;
      bound = std::max(bound, alive);
    }
    out << llvm::formatv("<p>Arena: {0:f0} bytes; {1:f0} are alive at once, which no plan can "
                         "undercut ({2:f1} % above)",
                         total, bound, bound > 0 ? 100 * total / bound - 100 : 0.0);
    if (!function->hasAttr(kArenaBytesAttr))
      out << llvm::formatv(", where every dimension symbol is {0:f0}", kSymbolValue);
    out << ". Launches from left to right, offsets from bottom to top:</p>\n";
    draw(residents, static_cast<double>(work.size()), total);
  }

  void draw(ArrayRef<Resident> residents, double launchCount, double total) {
    out << "<svg viewBox=\"0 0 1000 240\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\"memory plan\">\n";
    double width = 1000 / launchCount, scale = total > 0 ? 240 / total : 0;
    for (Resident value : residents)
      out << llvm::formatv("<rect class=\"{0}\" x=\"{1:f2}\" y=\"{2:f2}\" width=\"{3:f2}\" "
                           "height=\"{4:f2}\"><title>{5}: {6}, {7:f0} bytes</title></rect>\n",
                           module.lookupSymbol<KernelOp>(value.launch.getKernel()).getFamily(),
                           width * value.first, 240 - scale * (value.offset + value.bytes),
                           width * (value.last - value.first + 1), scale * value.bytes,
                           escaped(value.launch.getKernel()), printed(value.type), value.bytes);
    out << "</svg>\n<p class=\"key\">Made by:";
    for (StringRef family : {"contraction", "reduction", "pointwise"})
      out << " <i class=\"" << family << "\"></i>" << family;
    out << "</p>\n";
  }

  void writeKernels() {
    out << "<h2>Kernels</h2>\n<div class=\"wide\"><table><tr><th>kernel</th><th>family</th>"
           "<th>schedule</th><th class=\"n\">launches</th></tr>\n";
    for (auto kernel : module.getOps<KernelOp>()) {
      out << "<tr><td><details><summary><code>" << escaped(kernel.getSymName())
          << "</code></summary><pre>";
      for (Operation &op : kernel.getBody().front())
        out << printed<Operation &>(op) << "\n";
      out << "</pre></details></td><td>" << kernel.getFamily() << "</td><td><code>";
      if (DictionaryAttr schedule = kernel.getScheduleAttr())
        for (NamedAttribute field : schedule)
          out << escaped(field.getName()) << "&nbsp;" << number(field.getValue()) << " ";
      out << "</code></td><td class=\"n\">" << launches[kernel] << "</td></tr>\n";
    }
    out << "</table></div>\n";
  }

  static std::string number(Attribute attribute) {
    auto integer = dyn_cast<IntegerAttr>(attribute);
    return integer && !integer.getType().isInteger(1) ? std::to_string(integer.getInt())
                                                      : printed(attribute);
  }

  void writeVariables() {
    out << "<h2>Variables</h2>\n<div class=\"wide\"><table><tr><th>name</th><th>type</th>"
           "<th class=\"n\">bytes</th></tr>\n";
    double total = 0;
    for (auto variable : module.getOps<VariableOp>()) {
      auto type = cast<RankedTensorType>(variable.getType());
      double bytes = static_cast<double>(type.getNumElements()) *
                     std::max(1u, type.getElementTypeBitWidth() / 8);
      total += bytes;
      out << "<tr><td><code>" << escaped(variable.getSymName()) << "</code></td><td><code>"
          << printed(type) << "</code></td><td class=\"n\">" << scaled(bytes) << "</td></tr>\n";
    }
    out << "<tr><th>all</th><th></th><th class=\"n\">" << scaled(total)
        << "</th></tr>\n</table></div>\n";
  }

  ModuleOp module;
  StringRef target;
  llvm::raw_ostream &out;
  llvm::StringMap<int64_t> noVariables;
  llvm::DenseMap<Operation *, int64_t> launches;
};

} // namespace

std::string writeReport(ModuleOp module, StringRef target) {
  std::string text;
  llvm::raw_string_ostream out(text);
  ReportWriter(module, target, out).write();
  return text;
}

} // namespace mlir::gen
