#include "daemon/config/settings.h"

#include <catch2/catch.hpp>
#include <set>

#include "daemon/server/shared_model.h"

namespace cinnabar::daemon {
namespace {

using lsp::Json;
using Problems = std::vector<std::string>;

TEST_CASE("settings set what they name, by the command line's table") {
  Options options;
  const Json settings = {{"maxTokens", 40},
                         {"deadlineMs", 300},
                         {"lookup", false},
                         {"mode", "diffusion"},
                         {"threshold", 0.5},
                         {"keep", 0.25},
                         {"multiline", "never"},
                         {"languages", {{"c", false}, {"*", true}}},
                         {"exclude", {"a/", "*.gen"}},
                         {"model", nullptr}};
  CHECK(apply_settings({{"cinnabar", settings}}, options).empty());
  CHECK(options.request.defaults.max_tokens == 40);
  CHECK(options.request.deadline_ms == 300);
  CHECK_FALSE(options.request.defaults.drafts.lookup);
  CHECK(options.request.defaults.mode == engine::Mode::diffusion);
  CHECK(options.request.defaults.denoise.threshold == 0.5f);
  CHECK(options.request.defaults.keep == 0.25f);
  CHECK(options.request.multiline == Multiline::never);
  CHECK(options.editor.languages == std::map<std::string, bool>{{"c", false}, {"*", true}});
  CHECK(options.editor.exclude == std::vector<std::string>{"a/", "*.gen"});
  CHECK(options.model.model.empty());
}

TEST_CASE("a setting of one request changes it and not the model") {
  Options options;
  const Json settings = {{"promptBytes", 4000}, {"maxTokens", 40}, {"mode", "diffusion"}, {"lookup", false}};
  CHECK(apply_settings({{"cinnabar", settings}}, options).empty());
  CHECK(options.request.defaults.budget == engine::budget_of(4000));
  CHECK(same_model(options.model, Options().model));
}

TEST_CASE("what is wrong with a setting is said, and the others are taken") {
  Options options;
  const auto problems = apply_settings(
      {{"maxTokens", 0}, {"nosuch", 1}, {"enabled", "maybe"}, {"exclude", {{{"a", 1}}}}, {"seed", 7}}, options);
  CHECK(problems == Problems{"cinnabar.enabled: expected one of on, off",
                             "cinnabar.exclude: expected another kind of value than array",
                             "cinnabar.maxTokens: expected a number from 1 to 1024",
                             "cinnabar.nosuch: there is no such setting"});
  CHECK(options.request.defaults.sampling.seed == 7);
  CHECK(options.request.defaults.max_tokens == 128);
  for (const Json& odd : {Json(), Json(1), Json("x"), Json::array()}) CHECK(apply_settings(odd, options).empty());
}

TEST_CASE("a share outside 0 to 1, and what is no number, is refused in plain words") {
  for (const char* odd : {"1.5", "-0.1", "nan", "inf", "0.5x", ""}) {
    Options options;
    CHECK(apply_settings({{"keep", odd}}, options) == Problems{"cinnabar.keep: expected a number from 0 to 1"});
    CHECK(options.request.defaults.keep == Options().request.defaults.keep);
  }
}

TEST_CASE("a workspace that is not trusted chooses no model, wherever the word stands") {
  Options options;
  CHECK(apply_settings({{"adapter", "x"}, {"trusted", false}}, options) ==
        Problems{"cinnabar.adapter: not taken from a workspace that is not trusted"});
  CHECK(options.model.adapter.empty());
}

TEST_CASE("a quality chooses what nothing was said of, and never the deadline") {
  Options options;
  CHECK(apply_settings({{"repairs", 5}, {"quality", "fast"}, {"deadlineMs", 250}}, options).empty());
  CHECK(options.request.repairs == 5);
  CHECK(options.editor.alternatives == choice_of(Quality::fast).alternatives);
  CHECK(options.request.deadline_ms == 250);
  CHECK_FALSE(same_model(options.model, Options().model));
  CHECK(apply_settings({{"quality", "best"}}, options).empty());
  CHECK(options.request.repairs == 5);
  CHECK(options.editor.alternatives == choice_of(Quality::best).alternatives);
  CHECK(apply_settings({{"quality", "good"}}, options) ==
        Problems{"cinnabar.quality: expected one of fast, balanced, best"});
  const QualityChoice& balanced = choice_of(Quality::balanced);  // what holds where nobody says anything
  const Options defaults;
  CHECK(balanced.repairs == defaults.request.repairs);
  CHECK(balanced.alternatives == defaults.editor.alternatives);
  CHECK(balanced.drafts == defaults.request.defaults.drafts.limit);
  CHECK(balanced.model.empty());
  CHECK(balanced.modes.cpu == engine::Mode::automatic);
}

TEST_CASE("every editor option has a key of its own in camel case") {
  std::set<std::string> keys;
  for (const Option* option : editor_options()) {
    CHECK(keys.insert(json_key(*option)).second);
    CHECK(json_key(*option).find('-') == std::string::npos);
  }
  CHECK(keys.contains("maxTokens"));
}

}  // namespace
}  // namespace cinnabar::daemon
