//===- ScheduleTable.cpp - measured schedules, in a file ------------------===//

#include "passes/ScheduleTable.h"
#include "dialect/ops/Convolution.h"

#include "passes/DeviceCode.h"
#include "passes/EntryProgram.h"
#include "passes/LibraryKernels.h"
#include "passes/OutputFile.h"
#include "passes/PackedWeights.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::gen;

namespace {
/// A field of a schedule, and the numbers it may have.
struct FieldRange {
  StringRef name;
  int64_t least, most;
  bool isFlag = false;
};
} // namespace

static constexpr FieldRange kFields[] = {{"rows", 1, 32},          {"vectors", 1, 16},
                                         {"depth", 0, 1 << 20},    {"row_block", 1, 1 << 20},
                                         {"panels", 1, 1 << 16},   {"pack_lhs", 0, 1, true},
                                         {"pack_rhs", 0, 1, true}, {kLibrary, 0, 1, true}};

llvm::Expected<ScheduleTable> ScheduleTable::read(StringRef path) {
  auto fail = [&](const Twine &what) {
    return llvm::createStringError("'" + path.str() + "': " + what.str());
  };
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return fail("cannot be read: " + file.getError().message());
  llvm::Expected<llvm::json::Value> value = llvm::json::parse((*file)->getBuffer());
  if (!value)
    return fail("expected JSON: " + llvm::toString(value.takeError()));
  llvm::json::Object *all = value->getAsObject();
  if (!all)
    return fail("expected an object of schedules, as gencc --tune writes it");
  ScheduleTable table;
  for (auto &[key, fields] : *all) {
    llvm::json::Object *schedule = fields.getAsObject();
    if (!schedule)
      return fail("expected an object for '" + key.str() + "'");
    auto &entry = table.entries[key.str()];
    for (auto &[name, number] : *schedule) {
      const auto *field = llvm::find_if(
          kFields, [&](const FieldRange &known) { return known.name == StringRef(name); });
      std::optional<int64_t> given = number.getAsInteger();
      if (field == std::end(kFields) || !given || *given < field->least || *given > field->most)
        return fail(
            llvm::formatv("'{0}': expected rows, vectors, depth, row_block, panels, pack_lhs, "
                          "pack_rhs or library with a number that makes sense, got '{1}': {2}",
                          key.str(), name.str(), number)
                .str());
      entry[name.str()] = *given;
    }
    int64_t rows = entry.count("rows") ? entry["rows"] : 0;
    if (entry.size() == 1 && entry.count(kLibrary.str())) // of a GPU
      continue;
    if (!rows || entry.count("row_block") == 0 || entry["row_block"] % rows != 0)
      return fail("'" + key.str() + "': expected row_block to be a multiple of rows");
  }
  return table;
}

llvm::Error ScheduleTable::write(StringRef path) const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream out(stream, /*IndentSize=*/2);
  out.object([&] {
    for (const auto &[key, fields] : entries)
      out.attributeObject(key, [&] {
        for (const auto &[name, number] : fields)
          out.attribute(name, number);
      });
  });
  return writeFile(path, text + "\n");
}

/// The product of a kernel of a CPU that can be tuned, or null.
static ContractionOpInterface tunedProduct(KernelOp kernel, DictionaryAttr schedule) {
  auto contractions = kernel.getBody().front().getOps<ContractionOpInterface>();
  if (contractions.empty() || !schedule.get("rows") || schedule.get("dot") ||
      schedule.get("transposed"))
    return {};
  ContractionOpInterface op = *contractions.begin();
  auto convolution = dyn_cast<ConvolutionOpInterface>(op.getOperation());
  if (convolution && hasBatchLast(convolution)) // nothing is copied there
    return {};
  auto isStatic = [](Type type) {
    auto shaped = dyn_cast<ShapedType>(type);
    return shaped && shaped.hasStaticShape();
  };
  bool areStatic =
      llvm::all_of(op->getOperandTypes(), isStatic) && isStatic(op->getResult(0).getType());
  return areStatic ? op : ContractionOpInterface();
}

std::string ScheduleTable::keyOf(KernelOp kernel, DictionaryAttr schedule) {
  auto module = kernel->getParentOfType<ModuleOp>();
  ContractionOpInterface op =
      isForDevice(module) ? libraryOpOf(kernel) : tunedProduct(kernel, schedule);
  if (!op)
    return "";
  auto target = module->getAttrOfType<StringAttr>(kTargetAttr);
  std::string key;
  llvm::raw_string_ostream out(key);
  out << (target ? target.getValue() : "") << " " << op->getName();
  for (NamedAttribute attribute : op->getAttrs())
    out << " " << attribute.getName().getValue() << "=" << attribute.getValue();
  for (Type type : op->getOperandTypes())
    out << " " << type;
  for (Value operand : op->getOperands())
    if (Value stored = storedOperand(operand); stored != operand)
      out << " from " << getElementTypeOrSelf(stored);
  if (Value packed = packedRhs(op))
    out << " packed " << getElementTypeOrSelf(packed);
  return key;
}

DictionaryAttr ScheduleTable::apply(KernelOp kernel, DictionaryAttr schedule) const {
  auto found = entries.find(keyOf(kernel, schedule));
  if (found == entries.end())
    return schedule;
  Builder b(kernel.getContext());
  NamedAttrList fields(schedule ? schedule.getValue() : ArrayRef<NamedAttribute>());
  for (const FieldRange &field : kFields)
    if (auto number = found->second.find(field.name.str()); number != found->second.end())
      fields.set(field.name, field.isFlag ? Attribute(b.getBoolAttr(number->second))
                                          : b.getI64IntegerAttr(number->second));
  return fields.getDictionary(kernel.getContext());
}

void ScheduleTable::set(KernelOp kernel, DictionaryAttr schedule) {
  auto &entry = entries[keyOf(kernel, schedule)];
  for (const FieldRange &field : kFields)
    if (auto number = schedule.getAs<IntegerAttr>(field.name))
      entry[field.name.str()] = field.isFlag ? !number.getValue().isZero() : number.getInt();
}
