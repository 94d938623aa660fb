#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tokenizer/bpe.h"
#include "engine/tokenizer/bpe_files.h"

namespace cinnabar::engine {
namespace {

using Json = nlohmann::json;

constexpr int kDeepestJson = 64;
constexpr std::size_t kMostStages = 16;

// Nesting is counted before parsing: what builds or frees a tree may recurse.
bool too_deep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (in_string) continue;
    if ((c == '[' || c == '{') && ++depth > kDeepestJson) return true;
    if (c == ']' || c == '}') --depth;
  }
  return false;
}

Result<Json> parse_object(const std::string& text) {
  if (too_deep(text)) return Status::error("JSON is nested deeper than " + std::to_string(kDeepestJson) + " levels");
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return Status::error("not valid JSON");
  if (!json.is_object()) return Status::error("expected a JSON object");
  return json;
}

// A member, or null: the constant for "absent" so that callers test one thing.
const Json& member(const Json& object, const char* name) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(name);
  return found == object.end() ? null : *found;
}

std::string_view text_of(const Json& json) {
  const auto* text = json.get_ptr<const std::string*>();
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

bool is_true(const Json& json) { return json.is_boolean() && *json.get_ptr<const bool*>(); }

// Puts a token at its id; two different texts, or two kinds, for one id are an error unless the later is `added`.
Status place(BpeVocabulary& vocabulary, const Json& id, std::string_view text, TokenKind kind) {
  const std::string name = "token '" + std::string(text.substr(0, 100)) + "'";
  if (!id.is_number_integer()) return Status::error(name + ": its id is not an integer");
  const bool is_unsigned = id.is_number_unsigned();
  const std::uint64_t value = is_unsigned ? *id.get_ptr<const std::uint64_t*>() : kMostTokens;
  if (value >= kMostTokens) return Status::error(name + ": id out of range 0.." + std::to_string(kMostTokens - 1));
  if (vocabulary.tokens.size() <= value) vocabulary.tokens.resize(value + 1);
  auto& token = vocabulary.tokens[value];
  if (token.kind != TokenKind::absent && token.text != text) {
    return Status::error(name + ": id " + std::to_string(value) + " is also that of '" +
                         std::string(token.text.substr(0, 100)) + "'");
  }
  token = {text, kind};
  return Status();
}

Status read_vocabulary(const Json& entries, BpeVocabulary& vocabulary) {
  if (!entries.is_object()) return Status::error("the vocabulary is not a JSON object");
  for (const auto& [text, id] : entries.items()) {
    if (Status status = place(vocabulary, id, text, TokenKind::byte_level); !status) return status;
  }
  return Status();
}

Status read_merges(const Json& entries, BpeVocabulary& vocabulary) {
  if (!entries.is_array()) return Status::error("model.merges is not an array");
  for (const Json& entry : entries) {
    std::string_view left, right;
    if (entry.is_string()) {
      const std::string_view text = text_of(entry);
      const std::size_t space = text.find(' ');
      left = text.substr(0, space);
      if (space != std::string_view::npos) right = text.substr(space + 1);
    } else if (entry.is_array() && entry.size() == 2) {
      left = text_of(entry[0]);
      right = text_of(entry[1]);
    }
    if (left.empty() || right.empty()) {
      return Status::error("model.merges[" + std::to_string(vocabulary.merges.size()) + "] is not a pair of tokens");
    }
    vocabulary.merges.emplace_back(left, right);
  }
  return Status();
}

Status read_added_token(const Json& token, const Json& id, BpeVocabulary& vocabulary) {
  const std::string_view text = text_of(member(token, "content"));
  if (text.empty()) return Status::error("an added token has no content");
  const TokenKind kind = is_true(member(token, "special")) ? TokenKind::special : user_defined_kind(text);
  return place(vocabulary, id, text, kind);
}

std::string quoted_literal(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 && std::isalnum(byte) == 0) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

Status read_split(const Json& step, std::vector<std::string>& patterns) {
  const std::string_view behaviour = text_of(member(step, "behavior"));
  const bool invert = is_true(member(step, "invert"));
  if (!(behaviour == "Isolated" && !invert) && !(behaviour == "Removed" && invert)) {
    return Status::error("Split with behavior '" + std::string(behaviour.substr(0, 40)) + "' and invert " +
                         (invert ? "true" : "false") + " is not supported");
  }
  const Json& pattern = member(step, "pattern");
  if (const std::string_view regex = text_of(member(pattern, "Regex")); !regex.empty()) {
    patterns.emplace_back(regex);
  } else if (const std::string_view literal = text_of(member(pattern, "String")); !literal.empty()) {
    patterns.push_back(quoted_literal(literal));
  } else {
    return Status::error("Split has neither a Regex nor a String pattern");
  }
  return Status();
}

// The GPT-2 rule, which ByteLevel applies when use_regex is not turned off.
constexpr const char* kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

Status read_step(const Json& step, std::vector<std::string>& patterns, bool& byte_level) {
  const std::string_view type = text_of(member(step, "type"));
  if (type == "Split") return read_split(step, patterns);
  if (type == "Digits") {
    patterns.emplace_back(is_true(member(step, "individual_digits")) ? R"(\p{N})" : R"(\p{N}+)");
    return Status();
  }
  if (type == "Punctuation" &&
      (member(step, "behavior").is_null() || text_of(member(step, "behavior")) == "Isolated")) {
    patterns.emplace_back(R"([\p{P}$+<=>^`|~])");
    return Status();
  }
  if (type == "ByteLevel") {
    byte_level = true;
    if (is_true(member(step, "add_prefix_space"))) {
      return Status::error("ByteLevel with add_prefix_space is not supported: it adds a space that is not in the text");
    }
    const Json& use_regex = member(step, "use_regex");
    if (use_regex.is_null() || is_true(use_regex)) patterns.emplace_back(kByteLevelPattern);
    return Status();
  }
  return Status::error("type '" + std::string(type.substr(0, 40)) + "' is not supported");
}

Result<PreTokenizer> read_pre_tokenizer(const Json& json) {
  std::vector<std::string> patterns;
  bool byte_level = false;
  const Json& steps = member(json, "pretokenizers");
  if (text_of(member(json, "type")) == "Sequence") {
    if (!steps.is_array() || steps.size() > kMostStages) {
      return Status::error("expected a Sequence of at most " + std::to_string(kMostStages) + " pre-tokenizers");
    }
    for (const Json& step : steps) {
      if (Status status = read_step(step, patterns, byte_level); !status) return status;
    }
  } else if (Status status = read_step(json, patterns, byte_level); !status) {
    return status;
  }
  if (!byte_level) {
    return Status::error(
        "no ByteLevel step: this is not a byte-level vocabulary (for SentencePiece use tokenizer.model)");
  }
  return PreTokenizer::from_patterns(patterns);
}

Status check_normalizer(const Json& json) {
  if (json.is_null() || text_of(member(json, "type")) == "NFC") return Status();
  const Json& steps = member(json, "normalizers");
  if (text_of(member(json, "type")) == "Sequence" && steps.is_array() && steps.size() <= kMostStages) {
    for (const Json& step : steps) {
      if (text_of(member(step, "type")) != "NFC") return check_normalizer(step);
    }
    return Status();
  }
  return Status::error("type '" + std::string(text_of(member(json, "type")).substr(0, 40)) +
                       "' is not supported: it would change the text");
}

Status check_model(const Json& model) {
  if (!model.is_object()) return Status::error("model is missing");
  const Json& type = member(model, "type");
  if (!type.is_null() && text_of(type) != "BPE") {
    return Status::error("model.type is '" + std::string(text_of(type).substr(0, 40)) + "', expected 'BPE'");
  }
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!text_of(member(model, name)).empty()) return Status::error("model." + std::string(name) + " is not supported");
  }
  return Status();
}

Result<std::unique_ptr<Tokenizer>> from_tokenizer_json(const std::string& text) {
  const Result<Json> json = parse_object(text);
  if (!json) return json.status();
  const Json& model = member(*json, "model");
  if (Status status = check_model(model); !status) return status;
  if (Status status = check_normalizer(member(*json, "normalizer")); !status) return status.in("normalizer");
  Result<PreTokenizer> words = read_pre_tokenizer(member(*json, "pre_tokenizer"));
  if (!words) return words.status().in("pre_tokenizer");
  BpeVocabulary vocabulary;
  vocabulary.whole_words_first = is_true(member(model, "ignore_merges"));
  if (Status status = read_vocabulary(member(model, "vocab"), vocabulary); !status) return status;
  for (const Json& token : member(*json, "added_tokens")) {
    if (Status status = read_added_token(token, member(token, "id"), vocabulary); !status) return status;
  }
  if (Status status = read_merges(member(model, "merges"), vocabulary); !status) return status;
  return make_bpe_tokenizer(vocabulary, std::move(*words));
}

// tokenizer_class -> the pre-tokenizer's row.
constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
    {"Qwen2Tokenizer", "qwen2"}, {"Qwen2TokenizerFast", "qwen2"}, {"DreamTokenizer", "qwen2"},
    {"GPT2Tokenizer", "gpt-2"},  {"GPT2TokenizerFast", "gpt-2"},
};

Result<PreTokenizer> words_by_class(std::string_view name) {
  for (const auto& [known, row] : kClasses) {
    if (name == known) return PreTokenizer::named(row);
  }
  return Status::error("tokenizer_class '" + std::string(name.substr(0, 80)) +
                       "' is not known, so how words are cut is not either; a tokenizer.json would say it");
}

// Files that need not be there: an empty object stands for a missing one.
Result<Json> optional_object(const Checkpoint& checkpoint, std::string_view file) {
  const auto found = checkpoint.texts.find(file);
  if (found == checkpoint.texts.end()) return Json::object();
  Result<Json> json = parse_object(found->second);
  return json ? std::move(json) : Result<Json>(json.status().in(std::string(file)));
}

Status read_merges_text(std::string_view text, BpeVocabulary& vocabulary) {
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || (line_number == 1 && line.starts_with("#version"))) continue;
    const std::size_t space = line.find(' ');
    if (space == 0 || space == std::string_view::npos || space + 1 == line.size()) {
      return Status::error("line " + std::to_string(line_number) + ": expected two tokens with a space between");
    }
    vocabulary.merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return Status();
}

Status read_added_files(const Json& added, const Json& decoder, BpeVocabulary& vocabulary,
                        const std::map<std::string, Json>& ids) {
  for (const auto& [text, id] : added.items()) {
    if (Status status = place(vocabulary, id, text, user_defined_kind(text)); !status) {
      return status.in("added_tokens.json");
    }
  }
  if (!decoder.is_object()) return Status();
  for (const auto& [id, token] : decoder.items()) {
    if (Status status = read_added_token(token, ids.at(id), vocabulary); !status) {
      return status.in("tokenizer_config.json: added_tokens_decoder");
    }
  }
  return Status();
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> bpe_from_tokenizer_json(const Checkpoint& checkpoint) {
  const auto found = checkpoint.texts.find("tokenizer.json");
  if (found == checkpoint.texts.end()) return Status::error("tokenizer.json is missing");
  auto tokenizer = from_tokenizer_json(found->second);
  if (!tokenizer) return tokenizer.status().in("tokenizer.json");
  return tokenizer;
}

Result<std::unique_ptr<Tokenizer>> bpe_from_vocab_and_merges(const Checkpoint& checkpoint) {
  const auto merges = checkpoint.texts.find("merges.txt");
  if (merges == checkpoint.texts.end()) return Status::error("merges.txt is missing beside vocab.json");
  const Result<Json> vocab = optional_object(checkpoint, "vocab.json");
  const Result<Json> added = optional_object(checkpoint, "added_tokens.json");
  const Result<Json> config = optional_object(checkpoint, "tokenizer_config.json");
  for (const Result<Json>* file : {&vocab, &added, &config}) {
    if (!*file) return file->status();
  }
  Result<PreTokenizer> words = words_by_class(text_of(member(*config, "tokenizer_class")));
  if (!words) return words.status().in("tokenizer_config.json");
  BpeVocabulary vocabulary;
  if (Status status = read_vocabulary(*vocab, vocabulary); !status) return status.in("vocab.json");
  const Json& decoder = member(*config, "added_tokens_decoder");
  std::map<std::string, Json> ids;  // the decoder's keys are ids written as strings
  if (decoder.is_object()) {
    for (const auto& [id, token] : decoder.items()) ids[id] = Json::parse(id, nullptr, false);
  }
  if (Status status = read_added_files(*added, decoder, vocabulary, ids); !status) return status;
  if (Status status = read_merges_text(merges->second, vocabulary); !status) return status.in("merges.txt");
  return make_bpe_tokenizer(vocabulary, std::move(*words));
}

}  // namespace cinnabar::engine
