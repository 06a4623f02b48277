//===- Report.cpp - what the compiler made of a model ---------------------===//
//
// Reads what the passes left in the planned module: launches, kernels, schedules, places. Sizes
// that are known only when called stay symbols: work is a polynomial of them.
//
//===----------------------------------------------------------------------===//

#include "passes/Report.h"

#include "passes/EntryProgram.h"
#include "passes/FusionGroups.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

namespace mlir::gen {
namespace {

std::string escaped(StringRef text) {
  std::string result;
  for (char c : text)
    result += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

template <class T> std::string printed(T thing) {
  std::string text;
  llvm::raw_string_ostream out(text);
  thing.print(out);
  return escaped(text);
}

/// "3.14 M".
std::string scaled(double number) {
  static const char *const units[] = {"", " k", " M", " G", " T"};
  int unit = 0;
  for (; number >= 1000 && unit < 4; ++unit)
    number /= 1000;
  std::string text = llvm::formatv(unit == 0 || number >= 100 ? "{0:f0}" : "{0:f2}", number).str();
  return text + units[unit];
}

/// A sum of products of dimension symbols.
class Amount {
public:
  Amount(double number = 0) { // NOLINT(google-explicit-constructor): a number is an amount
    if (number != 0)
      terms[{}] = number;
  }
  static Amount symbol(const std::string &name) {
    Amount amount;
    amount.terms[{name}] = 1;
    return amount;
  }
  Amount operator*(const Amount &other) const {
    Amount product;
    for (const auto &[names, factor] : terms)
      for (const auto &[otherNames, otherFactor] : other.terms) {
        std::vector<std::string> all(names);
        llvm::append_range(all, otherNames);
        llvm::sort(all);
        product.terms[all] += factor * otherFactor;
      }
    return product;
  }
  Amount &operator+=(const Amount &other) {
    for (const auto &[names, factor] : other.terms)
      terms[names] += factor;
    return *this;
  }
  std::string str() const {
    std::string text;
    for (const auto &[names, factor] : terms) {
      text += (text.empty() ? "" : " + ") + scaled(factor);
      for (const std::string &name : names)
        text += "&thinsp;&middot;&thinsp;" + escaped(name);
    }
    return text.empty() ? "0" : text;
  }

private:
  std::map<std::vector<std::string>, double> terms;
};

/// The work of one launch: sizes in the kernel's body, expressed by the entry's symbols.
class LaunchWork {
public:
  LaunchWork(LaunchOp launch, KernelOp kernel, const EntryProgram &program)
      : launch(launch), program(program), sizes(kernelSizes(kernel)) {
    for (Operation &op : kernel.getBody().front())
      addFlops(&op);
    for (Value argument : kernel.getBody().getArguments())
      addBytes(argument);
    for (Value value : kernel.getBody().front().getTerminator()->getOperands())
      addBytes(value);
  }

  Amount flops, bytes;

private:
  Amount size(Value tensor, int64_t axis) {
    OpFoldResult size = sizes.get(tensor, axis);
    if (std::optional<int64_t> number = getConstantIntValue(size))
      return static_cast<double>(*number);
    auto argument = dyn_cast_if_present<BlockArgument>(dyn_cast_if_present<Value>(size));
    Value outside = argument ? launch.getArguments()[argument.getArgNumber()] : Value();
    auto dim = outside ? outside.getDefiningOp<tensor::DimOp>() : tensor::DimOp();
    auto source = dim ? dyn_cast<BlockArgument>(dim.getSource()) : BlockArgument();
    if (!source)
      return Amount::symbol("?");
    int64_t number = program.argumentShape(source)[*dim.getConstantIndex()];
    return Amount::symbol(program.dimensions[-1 - number]);
  }

  Amount elements(Value tensor) {
    Amount product = 1;
    for (int64_t axis = 0; axis < cast<RankedTensorType>(tensor.getType()).getRank(); ++axis)
      product = product * size(tensor, axis);
    return product;
  }

  /// A multiply-add of a product is two operations, an elementwise op one, however costly.
  void addFlops(Operation *op) {
    if (auto contraction = dyn_cast<ContractionOpInterface>(op)) {
      int64_t rank = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
      int64_t depth = contraction.isLhsTransposed() ? rank - 2 : rank - 1;
      flops += elements(op->getResult(0)) * size(op->getOperand(0), depth) * 2;
    } else if (isa<ReductionOpInterface>(op)) {
      flops += elements(op->getOperand(0));
    } else if (isa<PointwiseOpInterface>(op) && !FusionGroups::isFree(op)) {
      flops += elements(op->getResult(0));
    }
  }

  void addBytes(Value value) {
    if (auto type = dyn_cast<RankedTensorType>(value.getType()))
      bytes += elements(value) * std::max(1u, type.getElementTypeBitWidth() / 8);
  }

  LaunchOp launch;
  const EntryProgram &program;
  Sizes sizes;
};

constexpr const char *kStyle = R"(
:root { color-scheme: light dark; --line: color-mix(in srgb, CanvasText 20%, Canvas); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } .n { text-align: right; white-space: nowrap; }
code, pre { font: 13px/1.5 ui-monospace, monospace; } pre { overflow-x: auto; }
svg { width: 100%; height: auto; border: 1px solid var(--line); }
.contraction { fill: #4477aa; } .reduction { fill: #228833; } .pointwise { fill: #ccbb44; }
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
    for (auto launch : function.getOps<LaunchOp>()) {
      auto kernel = module.lookupSymbol<KernelOp>(launch.getKernel());
      ++launches[kernel];
      LaunchWork work(launch, kernel, program);
      flops += work.flops;
      bytes += work.bytes;
      out << "<tr><td class=\"n\">" << number++ << "</td><td><code>" << escaped(launch.getKernel())
          << "</code></td><td>" << kernel.getFamily() << "</td><td><code>" << places(launch)
          << "</code></td><td class=\"n\">" << work.flops.str() << "</td><td class=\"n\">"
          << work.bytes.str() << "</td></tr>\n";
    }
    out << "<tr><th></th><th>" << number << " launches</th><th></th><th></th><th class=\"n\">"
        << flops.str() << "</th><th class=\"n\">" << bytes.str() << "</th></tr>\n</table></div>\n";
    writeMemory(function, number);
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
              .Default([](Attribute) { return std::string("?"); });
    return text;
  }

  void writeMemory(func::FuncOp function, int64_t launchCount) {
    auto arena = function->getAttrOfType<IntegerAttr>(kArenaBytesAttr);
    auto bound = function->getAttrOfType<IntegerAttr>(kArenaLowerBoundAttr);
    if (!arena || !bound) {
      out << "<p>The arena is laid out when the entry is called: sizes are symbols.</p>\n";
      return;
    }
    out << "<p>Arena: " << arena.getInt() << " bytes; at least " << bound.getInt()
        << " are alive at once";
    if (bound.getInt() > 0)
      out << llvm::formatv(" ({0:f1} % above)", 100.0 * arena.getInt() / bound.getInt() - 100);
    out << ".</p>\n";
    if (arena.getInt() > 0)
      drawMemory(function, launchCount, arena.getInt());
  }

  /// Launches from left to right, offsets from bottom to top.
  void drawMemory(func::FuncOp function, int64_t launchCount, int64_t bytes) {
    llvm::DenseMap<Operation *, int64_t> time;
    for (auto [i, launch] : llvm::enumerate(function.getOps<LaunchOp>()))
      time[launch] = i;
    out << "<svg viewBox=\"0 0 1000 240\" preserveAspectRatio=\"none\" role=\"img\" "
           "aria-label=\"memory plan\">\n";
    double width = 1000.0 / launchCount, scale = 240.0 / bytes;
    for (auto launch : function.getOps<LaunchOp>())
      for (auto [result, place] :
           llvm::zip(launch.getResults(), launch->getAttrOfType<ArrayAttr>(kPlacesAttr))) {
        auto arena = dyn_cast<ArenaAttr>(place);
        if (!arena)
          continue;
        int64_t last = time[launch];
        for (Operation *user : result.getUsers())
          last = std::max(last, isa<LaunchOp>(user) ? time[user] : launchCount - 1);
        auto type = cast<RankedTensorType>(result.getType());
        double height =
            scale * type.getNumElements() * std::max(1u, type.getElementTypeBitWidth() / 8);
        auto kernel = module.lookupSymbol<KernelOp>(launch.getKernel());
        out << llvm::formatv("<rect class=\"{0}\" x=\"{1:f2}\" y=\"{2:f2}\" width=\"{3:f2}\" "
                             "height=\"{4:f2}\"><title>{5}: {6} at {7}</title></rect>\n",
                             kernel.getFamily(), width * time[launch],
                             240 - scale * arena.getOffset() - height,
                             width * (last - time[launch] + 1), height, escaped(launch.getKernel()),
                             printed(type), arena.getOffset());
      }
    out << "</svg>\n<p class=\"key\">Launches from left to right, offsets from bottom to top:";
    for (StringRef family : {"contraction", "reduction", "pointwise"})
      out << "<svg viewBox=\"0 0 1 1\" style=\"width:.8em;margin:0 .3em 0 1em\"><rect class=\""
          << family << "\" width=\"1\" height=\"1\"/></svg>" << family;
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
