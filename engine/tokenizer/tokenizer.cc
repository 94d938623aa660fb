#include "engine/tokenizer/tokenizer.h"

#include "engine/tokenizer/bpe_files.h"
#include "engine/tokenizer/healing.h"
#include "engine/tokenizer/sentencepiece.h"

namespace cinnabar::engine {
namespace {

Result<std::unique_ptr<Tokenizer>> from_gguf(const Checkpoint& checkpoint) {
  const auto found = checkpoint.metadata.find("tokenizer.ggml.model");
  const std::string* model = found == checkpoint.metadata.end() ? nullptr : std::get_if<std::string>(&found->second);
  if (model == nullptr) return Status::error("tokenizer.ggml.model is missing or not a string");
  if (*model == "gpt2") return bpe_from_gguf(checkpoint);
  if (*model == "llama") return sentencepiece_from_gguf(checkpoint);
  return Status::error("tokenizer.ggml.model is '" + model->substr(0, 40) + "'; 'gpt2' and 'llama' are supported");
}

Result<std::unique_ptr<Tokenizer>> from_folder(const Checkpoint& checkpoint) {
  const auto has = [&](std::string_view file) { return checkpoint.texts.find(file) != checkpoint.texts.end(); };
  // Where both are there, tokenizer.json is SentencePiece translated, with steps that are not byte exact.
  if (has("tokenizer.model")) return sentencepiece_from_model_file(checkpoint);
  if (has("tokenizer.json")) return bpe_from_tokenizer_json(checkpoint);
  if (has("vocab.json")) return bpe_from_vocab_and_merges(checkpoint);
  return Status::error(
      "no tokenizer: expected tokenizer.json, or vocab.json and merges.txt, or tokenizer.model; put them beside "
      "config.json (MDLM's and BD3-LM's folders bring none: theirs is GPT-2's)");
}

}  // namespace

std::size_t Tokenizer::last_split(std::string_view text) const { return last_uncrossed(*this, text); }

std::string Tokenizer::decode(std::span<const std::int32_t> tokens) const {
  std::string text;
  for (const std::int32_t token : tokens) text += bytes(token);
  return text;
}

Result<std::unique_ptr<Tokenizer>> load_tokenizer(const Checkpoint& checkpoint) {
  auto tokenizer = checkpoint.kind == Checkpoint::Kind::gguf ? from_gguf(checkpoint) : from_folder(checkpoint);
  if (!tokenizer) return tokenizer.status().in(checkpoint.source);
  return tokenizer;
}

}  // namespace cinnabar::engine
