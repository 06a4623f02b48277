// Stacks that change places: by a few instructions on x86-64, by the C library elsewhere.
#include "Fiber.h"

namespace emulator {

#if defined(__x86_64__)

// Saves the registers that a call keeps, and the stack's top in *from; takes those of `to`.
extern "C" void emulatorChangeStack(void **from, void *to);
asm(R"(
.text
.hidden emulatorChangeStack
.globl emulatorChangeStack
.type emulatorChangeStack, @function
emulatorChangeStack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size emulatorChangeStack, . - emulatorChangeStack
)");

void Fiber::start(void (*body)()) {
  constexpr int kRegisters = 6;
  if (!stack)
    stack.reset(new char[kStack]);
  auto end = reinterpret_cast<uintptr_t>(stack.get() + kStack) & ~uintptr_t(15);
  auto *words = reinterpret_cast<void **>(end) - kRegisters - 2;
  std::memset(words, 0, kRegisters * sizeof *words);
  words[kRegisters] = reinterpret_cast<void *>(body); // where the first change returns to
  words[kRegisters + 1] = nullptr;
  top = words;
}

void Fiber::change(Fiber &from, Fiber &to) { emulatorChangeStack(&from.top, to.top); }

#else

void Fiber::start(void (*body)()) {
  if (!stack)
    stack.reset(new char[kStack]);
  getcontext(&context);
  context.uc_stack.ss_sp = stack.get();
  context.uc_stack.ss_size = kStack;
  context.uc_link = nullptr;
  makecontext(&context, body, 0);
}

void Fiber::change(Fiber &from, Fiber &to) { swapcontext(&from.context, &to.context); }

#endif

} // namespace emulator
