// Opens the library that library.cu makes.
#include "kernels/cuda/library.h"

#include <dlfcn.h>

#include "kernels/cuda/backend.h"

namespace cinnabar::kernels::cuda {

Result<std::unique_ptr<Backend>> open_backend(const std::string& library, int gpu) {
  void* opened = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (opened == nullptr) {
    const char* why = dlerror();
    return Status::error("cannot open " + library + ": " + (why == nullptr ? "unknown reason" : why));
  }
  const auto interface = reinterpret_cast<InterfaceFunction>(dlsym(opened, kInterfaceSymbol));
  const auto open = reinterpret_cast<OpenFunction>(dlsym(opened, kOpenSymbol));
  if (interface == nullptr || open == nullptr || std::string(interface()) != kInterface) {
    dlclose(opened);
    return Status::error(library + " is not of the same build as this program; install both together");
  }
  std::unique_ptr<Backend> backend;
  Status status;
  open(gpu, backend, status);
  if (!status) return status;
  return backend;
}

}  // namespace cinnabar::kernels::cuda
