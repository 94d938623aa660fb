// The CUDA backend: int8 and bf16 products on the tensor cores (compute capability 8.0 and later), everything else in
// f32. It lies in a library of its own, libcinnabar_cuda.so, which a program opens at run time: so that one program
// serves machines with and without a GPU.
//
// The same sources, compiled for this machine's processor (on_host/), are what tests use where there is no GPU.
#pragma once

#include <memory>
#include <string>

#include "kernels/backend.h"

namespace cinnabar::kernels::cuda {

inline constexpr int kAnyGpu = -1;  // the one with the most free memory

// A backend on GPU number `gpu` as the driver counts them. Says what is missing: no driver or one that is too old, no such
// GPU, none of compute capability 8.0 or later. In the library and in tests only.
Result<std::unique_ptr<Backend>> make_backend(int gpu = kAnyGpu);

// The same from the library in file `library`. The library stays open. Errors: it is not there, it belongs to another
// build of cinnabar, or what make_backend says.
Result<std::unique_ptr<Backend>> open_backend(const std::string& library, int gpu = kAnyGpu);

}  // namespace cinnabar::kernels::cuda
