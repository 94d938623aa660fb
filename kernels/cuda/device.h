// What the kernels' sources need of CUDA: its keywords, and a Device with memory, copies and launches. Compiled by nvcc
// this is the CUDA runtime (on_gpu/); compiled by a C++ compiler, the same sources run on this machine's processor, a
// fiber for each thread of a block (on_host/), which is how they are tested where there is no GPU.
//
// Either header defines, in this namespace:
//
//   struct Grid { unsigned x = 1, y = 1, z = 1; }      blocks of a launch
//   class Device: one thread at a time, a forward on one thread
//     static Result<std::unique_ptr<Device>> open(int wanted)    gpu_choice.h; says what is missing when there is none
//     std::string name()                               "NVIDIA H200"
//     Status failure()                                 the first thing that went wrong; from then on nothing runs
//     void* allocate(std::int64_t bytes)               null when there is no memory; no failure of the device
//     void release(void* memory)
//     void to_device(void* to, const void* from, std::int64_t bytes)    `from` may be changed at once; no wait (staging.h)
//     void to_host(void* to, const void* from, std::int64_t bytes)      waits for all that was launched before
//     void on_device(void* to, const void* from, std::int64_t bytes)
//     void clear(void* memory, std::int64_t bytes)                      zeros
//     void wait()
//     void launch(Grid grid, unsigned threads, kernel, arguments...)    in order, without waiting
//     void record()                                    from here on launches are recorded and not run,
//     Recording recorded()                             to here; no copies between host and device meanwhile. Empty: failed
//     void replay(const Recording&)                    starts them all, with the arguments that they had
//     Traffic traffic()                                kernels/traffic.h
//     DeviceMemory memory()                            the same
//     std::int64_t releases()                          how many times memory was released
//
// Kernels use __global__, __device__, __shared__ (static arrays), threadIdx, blockIdx, blockDim, gridDim,
// __syncthreads, __syncwarp, __shfl_xor_sync of a full warp, __threadfence, atomicInc, CINNABAR_UNROLL
// and the products of mma.h. All of a block's threads
// reach each barrier.
#pragma once

#if defined(__CUDACC__)
#include "kernels/cuda/on_gpu/device.h"
#else
#include "kernels/cuda/on_host/device.h"
#endif
