// Where a fiber goes on.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include "thread_sanitizer.h"

namespace on_cpu {

struct Context {
  ucontext_t context;
  jmp_buf place;
  bool has_place;
};

// Lets `to` go on until something goes back to `from`. swapcontext makes a system call each time,
// for the mask of signals, and is left to ThreadSanitizer, which has a longjmp of its own.
[[gnu::noinline]] inline void SwitchContext(Context& from, Context& to) {
  if (sanitizer::IsLoaded()) {
    swapcontext(&from.context, &to.context);
    return;
  }
  from.has_place = true;
  if (_setjmp(from.place)) return;
  if (to.has_place) _longjmp(to.place, 1);
  setcontext(&to.context);
}

// Lets a context begin with a function, on a stack of its own.
inline void BeginContext(Context& context, void (*function)(), char* stack, size_t bytes) {
  context.has_place = false;
  getcontext(&context.context);
  context.context.uc_stack = {stack, 0, bytes};
  context.context.uc_link = nullptr;
  makecontext(&context.context, function, 0);
}

}  // namespace on_cpu
