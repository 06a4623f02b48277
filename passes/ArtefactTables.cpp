//===- ArtefactTables.cpp - constant tables as LLVM globals ---------------===//

#include "passes/ArtefactTables.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

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

std::string ArtefactTables::records(StringRef symbol, ArrayRef<Record> records,
                                    Visibility visibility, StringRef section) {
  if (records.empty())
    return "";
  SmallVector<Type> types;
  for (const Field &field : records.front())
    types.push_back(typeOf(field));
  auto record = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  auto type = LLVM::LLVMArrayType::get(record, records.size());
  auto global = LLVM::GlobalOp::create(
      b, type, /*isConstant=*/true,
      visibility == Local ? LLVM::Linkage::Internal : LLVM::Linkage::External, symbol, Attribute(),
      /*alignment=*/8);
  if (visibility == Linked)
    global.setVisibility_(LLVM::Visibility::Hidden);
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

void ArtefactTables::declare(StringRef symbol) {
  auto global = LLVM::GlobalOp::create(b, b.getI8Type(), /*isConstant=*/true,
                                       LLVM::Linkage::External, symbol, Attribute());
  global.setVisibility_(LLVM::Visibility::Hidden);
}

/// Named after 128 bits of hash.
static std::string dataSymbol(DenseElementsAttr dense) {
  ArrayRef<char> bytes = dense.getRawData();
  llvm::XXH128_hash_t hash =
      llvm::xxh3_128bits(ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  std::string type;
  llvm::raw_string_ostream(type) << dense.getType();
  return "gen.data." + llvm::utohexstr(hash.high64) + llvm::utohexstr(hash.low64) + "." +
         llvm::utohexstr(llvm::xxh3_64bits(type));
}

std::string ArtefactTables::data(ElementsAttr value) {
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
  std::string symbol = dataSymbol(dense);
  if (known.insert(symbol).second) {
    auto global = LLVM::GlobalOp::create(b, array, /*isConstant=*/true, LLVM::Linkage::WeakODR,
                                         symbol, dense, /*alignment=*/64);
    global.setVisibility_(LLVM::Visibility::Hidden);
  }
  return symbol;
}
