// Decodings that a test built itself, run to their end by the engine's own step.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <span>

#include "engine/decoding/decode.h"

namespace cinnabar::tests {

// `after_step` is called after every forward and may stop a decoding.
inline engine::DecodeStats decode_all(engine::Network& network, std::span<engine::Decoding* const> decodings,
                                      const std::function<void(const engine::DecodeStats&)>& after_step = {}) {
  const auto tokens = [&] {
    int all = 0;
    for (engine::Decoding* decoding : decodings) all += decoding->tokens();
    return all;
  };
  engine::DecodeStats stats;
  while (!std::all_of(decodings.begin(), decodings.end(), [](engine::Decoding* d) { return d->complete(); })) {
    const int before = tokens();
    const auto rows = engine::run_step(network, decodings);
    REQUIRE(rows);
    ++stats.nfe;
    stats.rows += *rows;
    stats.tokens_per_step.push_back(tokens() - before);
    if (after_step) after_step(stats);
  }
  return stats;
}

}  // namespace cinnabar::tests
