//===- ScheduleTable.h - measured schedules, in a file ----------*- C++ -*-===//
//
// A JSON object: for each instruction set and product, the fields of its schedule that were found
// best by measuring (gencc --tune). It is made to be committed. Results do not depend on it: sums
// have one order, whatever the schedule.
//
//===----------------------------------------------------------------------===//

#ifndef GEN_PASSES_SCHEDULETABLE_H
#define GEN_PASSES_SCHEDULETABLE_H

#include "dialect/Gen.h"

#include "llvm/Support/Error.h"
#include <map>

namespace mlir::gen {

class ScheduleTable {
public:
  /// Reads a file; the error says what is wrong with it, and where.
  static llvm::Expected<ScheduleTable> read(StringRef path);
  /// Writes a file; an old one is replaced by a whole new one.
  llvm::Error write(StringRef path) const;

  /// The schedule of a kernel's rule with what the table says of its product; as it is if the
  /// table says nothing.
  DictionaryAttr apply(KernelOp kernel, DictionaryAttr schedule) const;
  /// Keeps the fields of `schedule`.
  void set(KernelOp kernel, DictionaryAttr schedule);

  /// "x86-64-v4 gen.matmul ...": instruction set, op, attributes and types; "" if the kernel is not
  /// of a product that can be tuned: one of static sizes, with register tiles.
  static std::string keyOf(KernelOp kernel, DictionaryAttr schedule);

private:
  std::map<std::string, std::map<std::string, int64_t>> entries;
};

} // namespace mlir::gen

#endif // GEN_PASSES_SCHEDULETABLE_H
