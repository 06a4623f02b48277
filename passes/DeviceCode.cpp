//===- DeviceCode.cpp - code of a device inside of a module ---------------===//

#include "passes/DeviceCode.h"

#include "passes/EntryProgram.h"

#include "gen/artefact.h"

using namespace mlir;
using namespace mlir::gen;

bool mlir::gen::isForDevice(ModuleOp module) {
  auto features = module->getAttrOfType<IntegerAttr>(kFeaturesAttr);
  return features && (features.getInt() & GEN_CUDA);
}

void mlir::gen::setDeviceImage(ModuleOp module, StringRef symbol, StringRef code) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  module.lookupSymbol(symbol)->erase();
  b.setInsertionPointToEnd(module.getBody());
  std::string text = (code + StringRef("\0", 1)).str();
  Type bytes = LLVM::LLVMArrayType::get(b.getI8Type(), text.size());
  auto type = LLVM::LLVMStructType::getLiteral(b.getContext(), {b.getI64Type(), bytes});
  auto global = LLVM::GlobalOp::create(b, type, /*isConstant=*/true, LLVM::Linkage::Internal,
                                       symbol, Attribute(), /*alignment=*/8);
  b.setInsertionPointToStart(b.createBlock(&global.getInitializerRegion()));
  Value image = LLVM::UndefOp::create(b, type);
  Value fields[] = {LLVM::ConstantOp::create(b, b.getI64IntegerAttr(text.size())),
                    LLVM::ConstantOp::create(b, bytes, b.getStringAttr(text))};
  for (auto [number, field] : llvm::enumerate(fields))
    image = LLVM::InsertValueOp::create(b, image, field,
                                        ArrayRef<int64_t>{static_cast<int64_t>(number)});
  LLVM::ReturnOp::create(b, image);
}
