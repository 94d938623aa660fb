// `cinnabar infill --jsonl`: holes in, answers out, one JSON object a line, in order. For scripts and evaluation.
#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

using nlohmann::json;

constexpr std::size_t kLongestLine = 64U << 20;

// A string member; `required` decides whether its absence is an error.
Result<std::string> string_member(const json& line, const char* name, bool required) {
  const auto found = line.find(name);
  if (found == line.end()) {
    if (required) return Status::error(std::string("\"") + name + "\" is missing");
    return std::string();
  }
  if (!found->is_string())
    return Status::error(std::string("\"") + name + "\" is " + found->type_name() + ", expected a string");
  return found->get<std::string>();
}

Status read_choices(const json& line, engine::InfillRequest& request) {
  if (const auto found = line.find("max_tokens"); found != line.end()) {
    if (!found->is_number_integer() || found->get<std::int64_t>() < 1 || found->get<std::int64_t>() > 1024) {
      return Status::error("\"max_tokens\" is " + found->dump() + ", expected 1 to 1024");
    }
    request.max_tokens = found->get<int>();
  }
  auto mode = string_member(line, "mode", false), stop = string_member(line, "stop", false),
       former = string_member(line, "former", false);
  for (const auto* member : {&mode, &stop, &former}) {
    if (!*member) return member->status();
  }
  if (!mode->empty()) {
    const auto parsed = engine::parse_mode(*mode);
    if (!parsed) return Status::error("\"mode\" is \"" + *mode + "\", expected verified, autoregressive or diffusion");
    request.mode = *parsed;
  }
  if (!stop->empty()) {
    const auto parsed = engine::parse_end_rule(*stop);
    if (!parsed) return Status::error("\"stop\" is \"" + *stop + "\", expected line, block or hole");
    request.end = *parsed;
  }
  request.former = *former;
  return {};
}

Result<engine::InfillRequest> read_request(const json& line, const engine::InfillRequest& defaults) {
  if (!line.is_object()) return Status::error("the line is " + std::string(line.type_name()) + ", expected an object");
  engine::InfillRequest request = defaults;
  auto prefix = string_member(line, "prefix", true), suffix = string_member(line, "suffix", true);
  if (!prefix) return prefix.status();
  if (!suffix) return suffix.status();
  request.prefix = std::move(prefix).value();
  request.suffix = std::move(suffix).value();
  if (Status read = read_choices(line, request); !read) return read;
  return request;
}

json answer_line(const Options& options, engine::Engine& engine, const engine::InfillRequest& request) {
  const auto start = std::chrono::steady_clock::now();
  const auto result = engine.infill(request, limits_of(options));
  if (!result) return {{"error", result.message()}};
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const auto& first = result->answers.front();
  json line = {{"text", first.text},
               {"finish_reason", name(first.reason)},
               {"nfe", result->decode.nfe},
               {"tokens", first.tokens},
               {"ms", ms}};
  if (result->answers.size() > 1) {
    for (const auto& answer : result->answers) line["texts"].push_back(answer.text);
  }
  return line;
}

}  // namespace

int run_infill(Options& options) {
  auto engine = open_engine(options);
  if (!engine) return failed(engine.status());
  bool all_right = true;
  std::string text;
  for (std::size_t number = 1; std::getline(std::cin, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    json answer;
    const json line = text.size() > kLongestLine ? json(json::value_t::discarded) : json::parse(text, nullptr, false);
    if (line.is_discarded()) {
      answer = {{"error", "line " + std::to_string(number) + " is not JSON"}};
    } else if (const auto request = read_request(line, options.request); !request) {
      answer = {{"error", "line " + std::to_string(number) + ": " + request.message()}};
    } else {
      answer = answer_line(options, **engine, *request);
    }
    if (line.is_object() && line.contains("id")) answer["id"] = line["id"];
    all_right = all_right && !answer.contains("error");
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
    if (!std::cout) return 1;
  }
  return all_right ? 0 : 1;
}

}  // namespace cinnabar::daemon
