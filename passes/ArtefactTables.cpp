//===- ArtefactTables.cpp - constant tables as LLVM globals ---------------===//

#include "passes/ArtefactTables.h"

using namespace mlir;
using namespace mlir::gen;

ArtefactTables::ArtefactTables(ModuleOp module)
    : module(module), b(module.getLoc(), module.getContext()) {
  b.setInsertionPointToEnd(module.getBody());
}

std::string ArtefactTables::string(StringRef text) {
  std::string &symbol = strings[text];
  if (symbol.empty()) {
    symbol = "gen.string." + std::to_string(strings.size());
    std::string bytes = (text + StringRef("\0", 1)).str();
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
    LLVM::GlobalOp::create(b, type, /*isConstant=*/true, LLVM::Linkage::Private, symbol,
                           b.getStringAttr(bytes));
  }
  return symbol;
}

Type ArtefactTables::typeOf(const Field &field) {
  switch (field.kind) {
  case Field::U32:
    return b.getI32Type();
  case Field::I64:
    return b.getI64Type();
  case Field::Bytes:
    return LLVM::LLVMArrayType::get(b.getI8Type(), field.text.size());
  case Field::Address:
    return LLVM::LLVMPointerType::get(b.getContext());
  }
  llvm_unreachable("all kinds are covered");
}

Value ArtefactTables::emit(ImplicitLocOpBuilder &b, const Field &field) {
  Type type = typeOf(field);
  switch (field.kind) {
  case Field::U32:
  case Field::I64:
    return LLVM::ConstantOp::create(b, type, b.getIntegerAttr(type, field.number));
  case Field::Bytes:
    return LLVM::ConstantOp::create(b, type, b.getStringAttr(field.text));
  case Field::Address:
    if (field.text.empty())
      return LLVM::ZeroOp::create(b, type);
    return LLVM::AddressOfOp::create(b, type, field.text);
  }
  llvm_unreachable("all kinds are covered");
}

std::string ArtefactTables::records(StringRef symbol, ArrayRef<Record> records, bool exported,
                                    StringRef section) {
  if (records.empty())
    return "";
  SmallVector<Type> types;
  for (const Field &field : records.front())
    types.push_back(typeOf(field));
  auto record = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  auto type = LLVM::LLVMArrayType::get(record, records.size());
  auto global = LLVM::GlobalOp::create(b, type, /*isConstant=*/true,
                                       exported ? LLVM::Linkage::External : LLVM::Linkage::Internal,
                                       symbol, Attribute(),
                                       /*alignment=*/8);
  if (!section.empty())
    global.setSection(section);
  ImplicitLocOpBuilder inside(b.getLoc(), b.getContext());
  inside.setInsertionPointToStart(inside.createBlock(&global.getInitializerRegion()));
  Value table = LLVM::UndefOp::create(inside, type);
  for (auto [row, fields] : llvm::enumerate(records))
    for (auto [column, field] : llvm::enumerate(fields))
      table = LLVM::InsertValueOp::create(
          inside, table, emit(inside, field),
          ArrayRef<int64_t>{static_cast<int64_t>(row), static_cast<int64_t>(column)});
  LLVM::ReturnOp::create(inside, table);
  return symbol.str();
}

std::string ArtefactTables::data(StringRef symbol, ElementsAttr value) {
  auto type = cast<RankedTensorType>(value.getShapedType());
  Type elementType = type.getElementType();
  auto dense = cast<DenseElementsAttr>(value);
  if (elementType.isInteger(1)) { // a byte an element
    SmallVector<int8_t> bytes;
    for (bool element : dense.getValues<bool>())
      bytes.push_back(element);
    elementType = b.getI8Type();
    dense = DenseElementsAttr::get(RankedTensorType::get(type.getShape(), elementType),
                                   ArrayRef<int8_t>(bytes));
  }
  dense = dense.reshape(RankedTensorType::get({type.getNumElements()}, elementType));
  auto array = LLVM::LLVMArrayType::get(elementType, type.getNumElements());
  LLVM::GlobalOp::create(b, array, /*isConstant=*/true, LLVM::Linkage::Internal, symbol, dense,
                         /*alignment=*/64);
  return symbol.str();
}
