// Options of the command line that a model cannot use are refused by name.
#include "daemon/commands/given_options.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

using engine::Attention;
using engine::Mode;

TEST_CASE("an option that the model cannot use is refused, and one that it can is not") {
  struct Case {
    std::string given;
    Mode mode;
    Attention attention;
    bool adapter, accepted;
  };
  const std::vector<Case> cases = {
      {"--threshold=0.5", Mode::automatic, Attention::full, false, true},
      {"--threshold=0.5", Mode::automatic, Attention::block_causal, false, false},
      {"--threshold=0.5", Mode::diffusion, Attention::block_causal, false, true},
      {"--block=8", Mode::automatic, Attention::full, false, true},
      {"--block=8", Mode::automatic, Attention::blocks, false, false},
      {"--keep=0.5", Mode::diffusion, Attention::block_causal, true, true},
      {"--keep=0.5", Mode::diffusion, Attention::block_causal, false, false},
      {"--keep=0.5", Mode::automatic, Attention::full, false, false},
      {"--lookup=off", Mode::automatic, Attention::block_causal, false, true},
      {"--lookup=off", Mode::automatic, Attention::full, false, false},
      {"--draft=4", Mode::autoregressive, Attention::block_causal, false, false},
      {"--temperature=1", Mode::automatic, Attention::full, false, true},
      {"--blocks=8", Mode::automatic, Attention::blocks, false, true},  // another option's name
  };
  for (const Case& test : cases) {
    INFO(test.given << " " << name(test.attention));
    Options options;
    options.command.given = {test.given};
    engine::ModelSpec spec;
    spec.attention = test.attention;
    spec.logits_shift = 1;
    spec.mask = 3;
    const Status status = check_given(options, test.mode, spec, test.adapter);
    CHECK(status.ok() == test.accepted);
    if (!status) CHECK(status.message().find(test.given.substr(0, test.given.find('='))) != std::string::npos);
  }
}

}  // namespace
}  // namespace cinnabar::daemon
