// What libcinnabar_cuda.so offers to a program that opens it.
#include "kernels/cuda/backend.h"
#include "kernels/cuda/library.h"

#define CINNABAR_EXPORT extern "C" __attribute__((visibility("default")))

CINNABAR_EXPORT const char* cinnabar_cuda_interface() { return cinnabar::kernels::cuda::kInterface; }

CINNABAR_EXPORT void cinnabar_cuda_open(int gpu, std::unique_ptr<cinnabar::kernels::Backend>& backend,
                                        cinnabar::Status& status) {
  auto made = cinnabar::kernels::cuda::make_backend(gpu);
  if (made)
    backend = std::move(made).value();
  else
    status = made.status();
}
