// How many positions a denoising step unmasks when the count is fixed beforehand. Pure functions.
#pragma once

namespace cinnabar::engine {

// LLaDA (2502.09992): `masked` positions of a block over `steps` steps: an even split, the remainder one each to the
// first steps. Count of step `step` in [0, steps).
int even_quota(int masked, int steps, int step);

// Dream: times fall linearly from 1 to 1e-3 over `steps` steps; a step unmasks floor(masked_left * (1 - s / t)), the
// last one all. `step` in [0, steps).
int timestep_quota(int masked_left, int steps, int step);

}  // namespace cinnabar::engine
