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

void mlir::gen::setDeviceImage(ModuleOp module, StringRef symbol, StringRef bytes) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  module.lookupSymbol(symbol)->erase();
  b.setInsertionPointToEnd(module.getBody());
  Type type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  LLVM::GlobalOp::create(b, type, /*isConstant=*/true, LLVM::Linkage::Internal, symbol,
                         b.getStringAttr(bytes), GEN_DEVICE_CODE_ALIGNMENT);
}
