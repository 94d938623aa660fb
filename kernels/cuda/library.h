// The two functions of libcinnabar_cuda.so. Both sides are built from one tree by compilers of one ABI; kInterface, a
// hash of the headers that they share, tells whether that is so.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace cinnabar::kernels::cuda {

inline constexpr char kInterface[] = CINNABAR_BACKEND_INTERFACE;  // kernels/CMakeLists.txt
inline constexpr char kInterfaceSymbol[] = "cinnabar_cuda_interface";
inline constexpr char kOpenSymbol[] = "cinnabar_cuda_open";
using InterfaceFunction = const char* (*)();
// Sets `backend` to one on GPU `gpu` (backend.h), or says in `status` why not.
using OpenFunction = void (*)(int gpu, std::unique_ptr<Backend>& backend, Status& status);

}  // namespace cinnabar::kernels::cuda
