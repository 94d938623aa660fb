#include "engine/tokenizer/pretokenizer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include "engine/tokenizer/text_runs.h"

#define PCRE2_CODE_UNIT_WIDTH 8  // before the header
#include <pcre2.h>

namespace cinnabar::engine {
namespace {

constexpr std::size_t kLongestPattern = 16384;
// Steps one match may take. The rows below are linear; a pattern out of a file may not be.
constexpr std::uint32_t kMatchLimit = 1'000'000;
constexpr std::uint32_t kHeapLimitKiB = 65536;

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// The letters of scripts with capital and small ones, as DeepSeek-LLM lists them.
constexpr std::string_view kDeepSeekWord =
    R"(\s?[A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1})"
    R"(\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5})"
    R"(\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A})"
    R"(\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107})"
    R"(\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134})"
    R"(\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787})"
    R"(\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A})"
    R"(\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943}]+)";
constexpr std::string_view kDeepSeekMarks =
    R"(\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+)";
constexpr std::string_view kDeepSeekCjk = R"([\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+)";
constexpr std::string_view kDeepSeek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBailing =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kDigit = R"(\p{N})";

struct Row {
  std::string_view names;                    // of one rule, with blanks between
  std::array<std::string_view, 6> patterns;  // stages in order, empty ones at the end
  bool whole_words_first = false;
};
constexpr Row kRows[] = {
    {"qwen2 deepseek-r1-qwen stablelm2 hunyuan megrez kormo solar-open grok-2 f2llmv2", {kQwen2}},
    {"qwen35", {kQwen35}},
    {"gpt-2 phi-2 mellum a.x-4.0 modern-bert granite-docling olmo mpt jais gigachat exaone4 trillion", {kGpt2}},
    {"starcoder refact command-r smollm codeshell exaone minerva-7b mellum2", {kDigit, kGpt2}},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2", {kLlama3}, true},
    {"smaug-bpe dbrx chatglm-bpe glm4", {kLlama3}},
    {"gpt-4o llama4 kanana2 minimax-m2", {kGpt4o}},
    {"tekken", {kTekken}, true},
    {"seed-coder", {kSeedCoder}},
    {"deepseek-llm", {"[\r\n]", kDeepSeekWord, kDeepSeekMarks, R"(\s+$)", kDeepSeekCjk, R"(\p{N}+)"}},
    {"deepseek-coder", {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kDeepSeekCjk, kDigit}},
    {"deepseek-v3 hunyuan-dense",
     {R"(\p{N}{1,3})", R"([\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+)", kDeepSeek3}},
    {"bailingmoe bailingmoe2 llada-moe llada", {kBailing}},
    {"falcon", {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2, "[0-9][0-9][0-9]"}},
    {"default", {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", R"([0-9][0-9][0-9])"}},
};

// Whether `name` is one of the words of `names`.
bool names_it(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t blank = std::min(names.find(' '), names.size());
    if (names.substr(0, blank) == name) return true;
    names.remove_prefix(std::min(blank + 1, names.size()));
  }
  return false;
}

// Oniguruma's \s is Unicode's White_Space. PCRE2's has one character more (U+180E), so it is spelled as the property.
std::string translated(std::string_view pattern) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '\\' || i + 1 == pattern.size()) {
      out += pattern[i];
      continue;
    }
    const char escaped = pattern[++i];
    if (escaped == 's') {
      out += "\\p{wspace}";
    } else if (escaped == 'S') {
      out += "\\P{wspace}";
    } else {
      out += '\\';
      out += escaped;
    }
  }
  return out;
}

std::string compile_error(int code, std::size_t offset, std::string_view pattern) {
  std::array<unsigned char, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  std::string message = "pattern '" + std::string(pattern.substr(0, 200)) + "': at " + std::to_string(offset) + ": ";
  for (const unsigned char c : text) {
    if (c == 0) break;
    message += static_cast<char>(c);
  }
  return message;
}

struct MatchData {
  explicit MatchData(const pcre2_code* code) : data(pcre2_match_data_create_from_pattern(code, nullptr)) {}
  ~MatchData() { pcre2_match_data_free(data); }
  MatchData(const MatchData&) = delete;
  MatchData& operator=(const MatchData&) = delete;
  pcre2_match_data* data;
};

}  // namespace

struct PreTokenizer::Stage {
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    pcre2_code_free(code);
    pcre2_match_context_free(context);
  }

  Status compile(std::string_view pattern);
  // PCRE2's result: positive on a match, PCRE2_ERROR_NOMATCH, or another error.
  // `partial`: 0, or PCRE2_PARTIAL_HARD for text that goes on.
  int match(std::string_view text, std::size_t start, std::uint32_t partial, pcre2_match_data* data) const;
  // The part of `text`, which goes on, behind the last word that is one whatever follows; it ends where a word may begin
  // that is not all there.
  std::string_view open_end(std::string_view text, pcre2_match_data* data) const;
  void cut(std::string_view text, std::size_t base, pcre2_match_data* data, std::vector<std::size_t>& ends) const;

  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;  // only read while matching, so threads share it
  bool jit = false;
};

Status PreTokenizer::Stage::compile(std::string_view pattern) {
  if (pattern.size() > kLongestPattern) {
    return Status::error("pattern of " + std::to_string(pattern.size()) + " bytes; at most " +
                         std::to_string(kLongestPattern) + " are allowed");
  }
  if (pattern.find("&&") != std::string_view::npos) {
    return Status::error("pattern '" + std::string(pattern.substr(0, 200)) + "': intersections (&&) are not supported");
  }
  const std::string spelled = translated(pattern);
  int code_error = 0;
  std::size_t offset = 0;
  code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(),
                       PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code_error, &offset, nullptr);
  if (code == nullptr) return Status::error(compile_error(code_error, offset, pattern));
  context = pcre2_match_context_create(nullptr);
  if (context == nullptr) return Status::error("no memory for a regular expression");
  pcre2_set_match_limit(context, kMatchLimit);
  pcre2_set_heap_limit(context, kHeapLimitKiB);
  // Without executable memory PCRE2 interprets: slower, same matches.
  jit = pcre2_jit_compile(code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD) == 0;
  return Status();
}

int PreTokenizer::Stage::match(std::string_view text, std::size_t start, std::uint32_t partial,
                               pcre2_match_data* data) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  if (jit) {
    const int result = pcre2_jit_match(code, subject, text.size(), start, partial, data, context);
    if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
  }
  // Checking UTF-8 again at every word would make the cut quadratic.
  return pcre2_match(code, subject, text.size(), start, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT | partial, data, context);
}

std::string_view PreTokenizer::Stage::open_end(std::string_view text, pcre2_match_data* data) const {
  std::size_t done = 0, start = 0, end = text.size();
  while (start < text.size()) {
    const int result = match(text, start, PCRE2_PARTIAL_HARD, data);
    const std::size_t* offsets = pcre2_get_ovector_pointer(data);
    if (result == PCRE2_ERROR_PARTIAL) end = std::max(offsets[0], done);
    if (result <= 0) break;
    const std::size_t from = offsets[0], to = offsets[1];
    if (to <= from || from < done) {  // as in cut()
      start += utf8_character(text.substr(start));
    } else {
      done = start = to;
    }
  }
  return text.substr(done, end - done);
}

void PreTokenizer::Stage::cut(std::string_view text, std::size_t base, pcre2_match_data* data,
                              std::vector<std::size_t>& ends) const {
  std::size_t done = 0, start = 0;
  while (done < text.size()) {
    if (start >= text.size() || match(text, start, 0, data) <= 0) {
      ends.push_back(base + text.size());
      return;
    }
    const std::size_t* offsets = pcre2_get_ovector_pointer(data);
    const std::size_t from = offsets[0], to = offsets[1];
    if (to <= from || from < done) {  // an empty match cuts nothing; \K can even end before it starts
      start += utf8_character(text.substr(start));
      continue;
    }
    if (from > done) ends.push_back(base + from);
    ends.push_back(base + to);
    done = start = to;
  }
}

PreTokenizer::PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;
PreTokenizer& PreTokenizer::operator=(PreTokenizer&&) noexcept = default;
PreTokenizer::~PreTokenizer() = default;

Result<PreTokenizer> PreTokenizer::named(std::string_view name) {
  std::string known;
  for (const Row& row : kRows) {
    known += (known.empty() ? "" : " ") + std::string(row.names);
    if (!names_it(row.names, name)) continue;
    std::vector<std::string> patterns;
    for (const std::string_view pattern : row.patterns) {
      if (!pattern.empty()) patterns.emplace_back(pattern);
    }
    Result<PreTokenizer> result = from_patterns(patterns);
    if (result) result->whole_words_first_ = row.whole_words_first;
    return result;
  }
  return Status::error("pre-tokenizer '" + std::string(name.substr(0, 100)) + "' is not known; known are " + known);
}

Result<PreTokenizer> PreTokenizer::from_patterns(const std::vector<std::string>& patterns) {
  PreTokenizer result;
  for (const std::string& pattern : patterns) {
    auto stage = std::make_unique<Stage>();
    if (Status status = stage->compile(pattern); !status) return status;
    result.stages_.push_back(std::move(stage));
  }
  return result;
}

void PreTokenizer::cut(std::string_view text, std::vector<std::size_t>& ends) const {
  ends.clear();
  if (text.empty()) return;
  ends.push_back(text.size());
  std::vector<std::size_t> next;
  for (const auto& stage : stages_) {
    const MatchData match(stage->code);
    if (match.data == nullptr) return;  // no memory: the words of the stages so far
    next.clear();
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      stage->cut(text.substr(begin, end - begin), begin, match.data, next);
      begin = end;
    }
    ends.swap(next);
  }
}

std::size_t PreTokenizer::last_edge(std::string_view text) const {
  std::string_view open = text;
  for (const auto& stage : stages_) {
    const MatchData match(stage->code);
    if (match.data == nullptr) return 0;
    open = stage->open_end(open, match.data);
  }
  auto edge = static_cast<std::size_t>(open.data() - text.data());
  // Words that were apart because of what follows them may be one without it: two tabs in front of a bracket.
  std::vector<std::size_t> ends, alone;
  cut(text, ends);
  while (edge > 0) {
    const auto last = std::lower_bound(ends.begin(), ends.end(), edge);
    cut(text.substr(0, edge), alone);
    if (std::equal(alone.begin(), alone.end(), ends.begin(), std::next(last))) break;
    edge = last == ends.begin() ? 0 : *std::prev(last);
  }
  return edge;
}

}  // namespace cinnabar::engine
