#include "daemon/models/description.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "daemon/completion/present.h"
#include "engine/model/json.h"

namespace cinnabar::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t kLongest = 64 * 1024;  // bytes of model.json
constexpr std::size_t kLongestLine = 200;
constexpr double kHeaviest = 1000;  // a weight; fitted ones are below ten

struct Weight {
  const char* name;
  double GateWeights::*value;
  double low;
};
constexpr std::array<Weight, 7> kWeights = {{{"constant", &GateWeights::constant, -kHeaviest},
                                             {"sum", &GateWeights::sum, -kHeaviest},
                                             {"least", &GateWeights::least, -kHeaviest},
                                             {"least_margin", &GateWeights::least_margin, -kHeaviest},
                                             {"log_tokens", &GateWeights::log_tokens, -kHeaviest},
                                             {"balanced", &GateWeights::balanced, 0},
                                             {"quiet", &GateWeights::quiet, 0}}};

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// It is printed on terminals and shown in editors.
bool is_line(const std::string& text) {
  return text.size() <= kLongestLine && is_clean(text) && text.find_first_of("\t\r\n") == std::string::npos;
}

Status wrong(const std::string& member, const std::string& expected) {
  return Status::error("\"" + member + "\": expected " + expected);
}

Status read_line(const json& object, const char* name, std::string& out) {
  if (!object.contains(name)) return {};
  const auto text = engine::json_string(object, name);
  if (!text || !is_line(*text)) return wrong(name, "a line of at most 200 printable characters");
  out = *text;
  return {};
}

Status read_digest(const json& object, const char* name, std::string& out) {
  if (!object.contains(name)) return {};
  const auto text = engine::json_string(object, name);
  if (!text || !is_digest(*text)) return wrong(name, "64 lower-case hexadecimal digits");
  out = *text;
  return {};
}

Status read_prompt(const json& object, ModelDescription& out) {
  if (!object.contains("prompt")) return {};
  const auto text = engine::json_string(object, "prompt");
  if (!text) return wrong("prompt", "the name of a prompt's order");
  const auto layout = engine::parse_infill_layout(*text);
  if (!layout) return layout.status().in("\"prompt\"");
  out.prompt = *layout;
  return {};
}

Status read_modes(const json& object, engine::PreferredModes& out) {
  const auto modes = object.find("modes");
  if (modes == object.end()) return {};
  if (!modes->is_object()) return wrong("modes", "an object");
  for (const auto& [device, mode] : {std::pair{"cpu", &out.cpu}, std::pair{"cuda", &out.gpu}}) {
    if (!modes->contains(device)) continue;
    const auto text = engine::json_string(*modes, device);
    const auto parsed = text ? engine::parse_mode(*text) : std::nullopt;
    if (!parsed) return wrong(std::string("modes\".\"") + device, "one of auto, verified, autoregressive, diffusion");
    *mode = *parsed;
  }
  return {};
}

// Members by the options' names (engine/decoding/denoise_options.h), '_' for '-'.
Status read_decoding(const json& object, engine::DenoiseOptions& out) {
  const auto decoding = object.find("decoding");
  if (decoding == object.end()) return {};
  if (!decoding->is_object()) return wrong("decoding", "an object");
  for (const auto& [key, value] : decoding->items()) {
    const std::string member = "decoding\".\"" + key;
    std::string name = key, text = value.is_string() ? value.get<std::string>() : value.dump();
    std::replace(name.begin(), name.end(), '_', '-');
    const engine::DenoiseField* field = engine::find_denoise_field(name);
    if (field == nullptr) return Status::error("\"decoding\" has no member " + engine::shown_name(key));
    if (value.is_boolean()) text = value.get<bool>() ? "on" : "off";
    if (value.is_structured() || engine::set_field(*field, text, out))
      return Status::error("\"" + member + "\": " + engine::set_field(*field, "", out).value_or(""));
  }
  if (const auto clash = engine::contradiction(out)) return Status::error("\"decoding\": " + *clash);
  return {};
}

Status read_next_edit(const json& object, std::optional<NextEditForm>& out) {
  if (!object.contains("next_edit")) return {};
  const auto text = engine::json_string(object, "next_edit");
  out = text ? parse_next_edit_form(*text) : std::nullopt;
  return out ? Status() : wrong("next_edit", "one of proposals, sweep, zeta");
}

// All or none of them: weights of two fits do not go together.
Status read_gate(const json& object, GateWeights& out) {
  const auto gate = object.find("gate");
  if (gate == object.end()) return {};
  if (!gate->is_object()) return wrong("gate", "an object");
  for (const Weight& weight : kWeights) {
    const double high = weight.low == 0 ? 1 : kHeaviest;
    const auto number = engine::json_number(*gate, weight.name);
    if (!number || !(*number >= weight.low && *number <= high))
      return wrong(std::string("gate\".\"") + weight.name,
                   weight.low == 0 ? "a number from 0 to 1" : "a number from -1000 to 1000");
    out.*weight.value = *number;
  }
  if (out.balanced > out.quiet) return wrong("gate\".\"quiet", "at least \"balanced\"");
  return {};
}

Status read_sizes(const json& object, ModelDescription& out) {
  if (object.contains("bytes")) {
    const auto bytes = engine::json_integer(object, "bytes");
    if (!bytes || *bytes < 1) return wrong("bytes", "a positive number");
    out.bytes = *bytes;
  }
  if (object.contains("forwards_a_token")) {
    const auto forwards = engine::json_number(object, "forwards_a_token");
    if (!forwards || !(*forwards > 0 && *forwards <= 100))
      return wrong("forwards_a_token", "a number above 0, 100 at most");
    out.forwards_a_token = *forwards;
  }
  return {};
}

}  // namespace

bool is_model_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

Result<ModelDescription> parse_description(std::string_view text) {
  if (text.size() > kLongest)
    return Status::error("expected at most 65536 bytes, found " + std::to_string(text.size()));
  const auto object = engine::parse_json(text, {.depth = 8});
  if (!object) return object.status();
  if (!object->is_object()) return Status::error("expected an object, found " + std::string(object->type_name()));
  ModelDescription out;
  for (const Status& read :
       {read_line(*object, "name", out.name), read_line(*object, "title", out.title),
        read_line(*object, "licence", out.licence), read_sizes(*object, out),
        read_digest(*object, "sha256", out.sha256), read_digest(*object, "base_sha256", out.base_sha256),
        read_prompt(*object, out), read_modes(*object, out.modes), read_decoding(*object, out.denoise),
        read_next_edit(*object, out.next_edit), read_gate(*object, out.gate)}) {
    if (!read) return read;
  }
  if (!out.name.empty() && !is_model_name(out.name))
    return wrong("name", "letters, digits, '.', '_' and '-', 64 at most");
  return out;
}

Result<ModelDescription> read_description(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / "model.json";
  std::error_code error;
  const auto kind = std::filesystem::status(path, error).type();
  if (kind == std::filesystem::file_type::not_found) return ModelDescription{};
  if (kind != std::filesystem::file_type::regular) return Status::error(path.string() + ": not a regular file");
  std::ifstream file(path, std::ios::binary);
  std::string text(kLongest + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.eof() && !file) return Status::error(path.string() + ": cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  auto description = parse_description(text);
  if (!description) return description.status().in(path.string());
  return description;
}

std::string written_description(const ModelDescription& description) {
  nlohmann::ordered_json out;
  for (const auto& [name, text] : {std::pair{"name", &description.name}, std::pair{"title", &description.title},
                                   std::pair{"licence", &description.licence}}) {
    if (!text->empty()) out[name] = *text;
  }
  if (description.bytes > 0) out["bytes"] = description.bytes;
  if (!description.sha256.empty()) out["sha256"] = description.sha256;
  if (!description.base_sha256.empty()) out["base_sha256"] = description.base_sha256;
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace cinnabar::daemon
