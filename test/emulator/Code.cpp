#include "Code.h"
#include "Rounding.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/TargetSelect.h"
#include <cstring>

using namespace llvm;

namespace emulator {
namespace {

// Retargets a module to this machine.
class Retargeting {
public:
  Retargeting(llvm::Module &module, const Faults &faults) : module(module), faults(faults) {}

  void run() {
    for (Function &function : module)
      if (!function.isDeclaration() && function.getCallingConv() == CallingConv::PTX_Kernel)
        addKernel(function);
    dropBarrier();
    loosenWait();
    replaceAssembly();
    loosenWaitForPhase();
    requireAlignment();
    roundToBF16(module);
    for (Function &function : make_early_inc_range(module))
      if (function.isDeclaration() && function.getName().starts_with("llvm.nvvm."))
        replaceIntrinsic(function);
    SmallVector<GlobalVariable *> globals(make_pointer_range(module.globals()));
    for (GlobalVariable *global : globals)
      if (global->getAddressSpace() == kShared)
        addShared(*global);
    for (Function &function : module) {
      function.setCallingConv(CallingConv::C);
      for (const char *target : {"target-cpu", "target-features"})
        function.removeFnAttr(target);
    }
  }

  std::vector<Kernel> kernels;
  std::vector<std::string> entries; // of each kernel, the function to call
  struct Shared {
    std::string name, kernel;
    uint64_t bytes;
  };
  std::vector<Shared> shared;
  std::map<std::string, std::string> intrinsics; // by the symbols that stand for them

private:
  static constexpr unsigned kShared = 3;

  // void entry(words): calls the kernel with parameters from memory.
  void addKernel(Function &function) {
    constexpr uint64_t kWord = sizeof(uint64_t);
    const DataLayout &layout = module.getDataLayout();
    IRBuilder<> b(module.getContext());
    std::string name = "enter_" + function.getName().str();
    auto *entry = Function::Create(FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false),
                                   GlobalValue::ExternalLinkage, name, module);
    b.SetInsertPoint(BasicBlock::Create(module.getContext(), "", entry));
    SmallVector<Value *> arguments;
    uint64_t words = 0;
    for (Argument &argument : function.args()) {
      if (argument.hasByValAttr())
        words = alignTo(words, argument.getParamAlign()->value() / kWord);
      Value *at = b.CreateConstGEP1_64(b.getInt64Ty(), entry->getArg(0), words);
      arguments.push_back(argument.hasByValAttr() ? at : b.CreateLoad(argument.getType(), at));
      words += argument.hasByValAttr() ? argument.getPassPointeeByValueCopySize(layout) / kWord : 1;
      argument.removeAttr(Attribute::ByVal);     // the memory of parameters itself,
      argument.removeAttr(Attribute::Alignment); // which is aligned as words are
    }
    b.CreateCall(&function, arguments);
    b.CreateRetVoid();
    kernels.push_back(
        {function.getName().str(), nullptr, words, waits(function), hasAssembly(function), {}});
    entries.push_back(name);
  }

  // A kernel's shared memory is named after it. If a launch says how much it is, there is the most
  // that it can be.
  void addShared(GlobalVariable &global) {
    std::string name = global.getName().str();
    StringRef kernel = name;
    kernel.consume_back("_shared");
    uint64_t bytes = module.getDataLayout().getTypeAllocSize(global.getValueType());
    shared.push_back({name, kernel.str(), bytes});
    global.setLinkage(GlobalValue::ExternalLinkage);
    if (bytes > 0)
      return;
    auto *type = ArrayType::get(Type::getInt8Ty(module.getContext()), kMostShared);
    auto *memory = new GlobalVariable(module, type, /*isConstant=*/false,
                                      GlobalValue::ExternalLinkage, UndefValue::get(type), "",
                                      nullptr, GlobalValue::NotThreadLocal, kShared);
    memory->setAlignment(global.getAlign());
    memory->takeName(&global);
    global.replaceAllUsesWith(memory);
    global.eraseFromParent();
  }

  static bool waits(Function &function) {
    for (Instruction &instruction : instructions(function))
      if (callOf(instruction, isBarrier) || callOf(instruction, isOfWarp))
        return true;
    return false;
  }

  // Only wgmma is text.
  static bool hasAssembly(Function &function) {
    return any_of(instructions(function), [](Instruction &instruction) {
      auto *call = dyn_cast<CallInst>(&instruction);
      return call && call->isInlineAsm();
    });
  }

  static CallInst *callOf(Instruction &instruction, bool (*isMeant)(const std::string &)) {
    auto *call = dyn_cast<CallInst>(&instruction);
    Function *callee = call ? call->getCalledFunction() : nullptr;
    return callee && isMeant(callee->getName().str()) ? call : nullptr;
  }

  // Call number `number` of those that are meant, or null.
  CallInst *findCall(bool (*isMeant)(const std::string &), int number) {
    for (Function &function : module)
      for (Instruction &instruction : instructions(function))
        if (CallInst *call = callOf(instruction, isMeant))
          if (number-- == 0)
            return call;
    return nullptr;
  }

  void dropBarrier() {
    if (CallInst *call = findCall(isBarrier, faults.droppedBarrier)) {
      if (!call->use_empty()) // the phase has ended
        call->replaceAllUsesWith(Constant::getAllOnesValue(call->getType()));
      call->eraseFromParent();
    }
  }

  // Those that are text come behind the others.
  void loosenWait() {
    if (CallInst *call = findCall(isWait, faults.loosenedWait)) {
      auto *pending = cast<ConstantInt>(call->getArgOperand(0));
      call->setArgOperand(0, ConstantInt::get(pending->getType(), pending->getZExtValue() + 1));
      faults.loosenedWait = -1;
    }
    int others = 0;
    while (findCall(isWait, others))
      ++others;
    faults.loosenedWait -= others;
  }

  // Behind both: those for a phase wait for the one before.
  void loosenWaitForPhase() {
    if (CallInst *call =
            faults.loosenedWait < 0 ? nullptr : findCall(isWaitForPhase, faults.loosenedWait)) {
      IRBuilder<> b(call);
      call->setArgOperand(1, b.CreateXor(call->getArgOperand(1), 1));
    }
  }

  // Of vectors in the memory of the GPU: this machine finds them anywhere.
  void requireAlignment() {
    IRBuilder<> b(module.getContext());
    Type *number = b.getInt64Ty();
    FunctionCallee check = module.getOrInsertFunction(
        "emulator_require_alignment", FunctionType::get(b.getVoidTy(), {number, number}, false));
    intrinsics["emulator_require_alignment"] = kRequireAlignment;
    for (Function &function : module)
      for (Instruction &instruction : instructions(function)) {
        Value *pointer = getLoadStorePointerOperand(&instruction);
        if (!pointer || !getLoadStoreType(&instruction)->isVectorTy() ||
            pointer->getType()->getPointerAddressSpace() == kShared)
          continue;
        b.SetInsertPoint(&instruction);
        b.CreateCall(check, {b.CreatePtrToInt(pointer, number),
                             b.getInt64(getLoadStoreAlignment(&instruction).value())});
        if (auto *load = dyn_cast<LoadInst>(&instruction))
          load->setAlignment(Align(1));
        else
          cast<StoreInst>(instruction).setAlignment(Align(1));
      }
  }

  // Instructions that are text become functions of all threads of a warp, with what the text says
  // as their first arguments (Warpgroup.h).
  void replaceAssembly() {
    SmallVector<CallInst *> calls;
    for (Function &function : module)
      for (Instruction &instruction : instructions(function))
        if (auto *call = dyn_cast<CallInst>(&instruction); call && call->isInlineAsm())
          calls.push_back(call);
    for (CallInst *call : calls) {
      StringRef text = cast<InlineAsm>(call->getCalledOperand())->getAsmString();
      unsigned sums = cast<StructType>(call->getType())->getNumElements();
      bool isWait = text.consume_front("wgmma.wait_group.sync.aligned ");
      uint32_t settings[] = {2 * sums, 0, 0, 0};
      if (isWait) {
        text.consumeInteger(10, settings[1]);
        settings[1] += faults.loosenedWait-- == 0;
      } else {
        settings[1] = text.contains(".bf16");
        settings[2] = text.ends_with(" 1, 0;") || text.ends_with(" 1, 1;");
        settings[3] = text.ends_with(" 1;");
      }
      SmallVector<Value *> arguments;
      for (uint32_t setting : settings)
        arguments.push_back(ConstantInt::get(Type::getInt32Ty(module.getContext()), setting));
      append_range(arguments, call->args());
      if (!isWait)
        changeStrides(*call, MutableArrayRef(arguments).take_back(2));
      const char *name = isWait ? kWaitForSums : kStartProducts;
      callThroughMemory(*call, declareOfWarp(name), arguments);
    }
  }

  // Both descriptors are the last arguments; bits 32 to 45 are the stride, in 16 bytes.
  void changeStrides(CallInst &call, MutableArrayRef<Value *> descriptors) {
    IRBuilder<> b(&call);
    for (Value *&descriptor : descriptors)
      if (faults.wrongStride-- == 0)
        descriptor = b.CreateAdd(descriptor, b.getInt64(uint64_t(1) << 32));
  }

  // A function of all threads of a warp: memory for the result, and memory with the arguments.
  FunctionCallee declareOfWarp(const std::string &name) {
    std::string symbol = name;
    std::replace(symbol.begin(), symbol.end(), '.', '_');
    intrinsics[symbol] = name;
    Type *pointer = PointerType::get(module.getContext(), 0);
    return module.getOrInsertFunction(
        symbol, FunctionType::get(Type::getVoidTy(module.getContext()), {pointer, pointer}, false));
  }

  void replaceIntrinsic(Function &function) {
    std::string name = function.getName().str();
    if (isOfWarp(name)) {
      FunctionCallee replacement = declareOfWarp(name);
      for (User *user : make_early_inc_range(function.users()))
        if (auto *call = dyn_cast<CallInst>(user))
          callThroughMemory(*call, replacement, SmallVector<Value *>(call->args()));
    } else {
      std::string symbol = name;
      std::replace(symbol.begin(), symbol.end(), '.', '_');
      auto *replacement = Function::Create(function.getFunctionType(), GlobalValue::ExternalLinkage,
                                           symbol, module);
      for (User *user : make_early_inc_range(function.users()))
        if (auto *call = dyn_cast<CallInst>(user)) {
          call->setCalledFunction(replacement);
          call->setAttributes({});
        }
      intrinsics[symbol] = name;
    }
    function.eraseFromParent();
  }

  void callThroughMemory(CallInst &call, FunctionCallee replacement, ArrayRef<Value *> arguments) {
    SmallVector<Type *> types;
    for (Value *argument : arguments)
      types.push_back(argument->getType());
    auto *type = StructType::get(module.getContext(), types);
    bool hasResult = !call.getType()->isVoidTy();
    IRBuilder<> b(&call.getFunction()->getEntryBlock().front());
    Value *from = b.CreateAlloca(type), *to = from;
    if (hasResult)
      to = b.CreateAlloca(call.getType());
    b.SetInsertPoint(&call);
    for (auto [i, argument] : enumerate(arguments))
      b.CreateStore(argument, b.CreateStructGEP(type, from, i));
    b.CreateCall(replacement, {to, from});
    if (hasResult)
      call.replaceAllUsesWith(b.CreateLoad(call.getType(), to));
    call.eraseFromParent();
  }

  llvm::Module &module;
  Faults faults;
};

Error define(orc::LLJIT &jit, const std::map<std::string, std::string> &intrinsics) {
  orc::SymbolMap symbols;
  for (const auto &[symbol, name] : intrinsics) {
    void *function = findIntrinsic(name);
    if (!function)
      return createStringError("the emulator does not know " + name);
    symbols[jit.mangleAndIntern(symbol)] = {orc::ExecutorAddr::fromPtr(function),
                                            JITSymbolFlags::Exported | JITSymbolFlags::Callable};
  }
  return jit.getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols)));
}

} // namespace

Code::Code() = default;
Code::~Code() = default;

std::unique_ptr<Code> Code::load(const char *bitcode, size_t bytes, const Faults &faults,
                                 std::string &error) {
  InitializeNativeTarget();
  InitializeNativeTargetAsmPrinter();
  std::unique_ptr<Code> code(new Code);
  auto build = [&]() -> Error {
    auto context = std::make_unique<LLVMContext>();
    auto module = parseBitcodeFile({StringRef(bitcode, bytes), "kernels"}, *context);
    if (!module)
      return module.takeError();
    Retargeting retargeted(**module, faults);
    retargeted.run();
    auto machine = orc::JITTargetMachineBuilder::detectHost();
    if (!machine)
      return machine.takeError();
    machine->getOptions().AllowFPOpFusion = FPOpFusion::Strict;
    machine->setCodeGenOptLevel(CodeGenOptLevel::Less); // the mid-end has done its work
    auto jit = orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*machine)).create();
    if (!jit)
      return jit.takeError();
    (*module)->setTargetTriple((*jit)->getTargetTriple());
    (*module)->setDataLayout((*jit)->getDataLayout());
    if (Error failed = define(**jit, retargeted.intrinsics))
      return failed;
    if (Error failed = (*jit)->addIRModule({std::move(*module), std::move(context)}))
      return failed;
    for (size_t i = 0; i < retargeted.kernels.size(); ++i) {
      auto entry = (*jit)->lookup(retargeted.entries[i]);
      if (!entry)
        return entry.takeError();
      Kernel &kernel = code->kernels[retargeted.kernels[i].name] = retargeted.kernels[i];
      kernel.run = entry->toPtr<void (*)(const uint64_t *)>();
    }
    for (const Retargeting::Shared &shared : retargeted.shared) {
      auto memory = (*jit)->lookup(shared.name);
      if (!memory)
        return memory.takeError();
      code->kernels[shared.kernel].shared.push_back({memory->toPtr<char *>(), shared.bytes});
    }
    code->jit = std::move(*jit);
    return Error::success();
  };
  if (Error failed = build()) {
    error = toString(std::move(failed));
    return nullptr;
  }
  return code;
}

const Kernel *Code::find(const std::string &name) const {
  auto found = kernels.find(name);
  return found == kernels.end() ? nullptr : &found->second;
}

void Kernel::spoilSharedMemory(size_t bytesOfLaunch) const {
  for (const SharedMemory &memory : shared)
    std::memset(memory.data, 0xff, memory.bytes ? memory.bytes : bytesOfLaunch);
}

} // namespace emulator
