// A Backend of plain loops in f32, written for reading: what the CPU and GPU backends are compared with from above
// (same engine, same model, other kernels). Every Compute is carried out in f32.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace cinnabar::tests {

std::unique_ptr<kernels::Backend> make_reference_backend(int cheap_rows = 16);

}  // namespace cinnabar::tests
