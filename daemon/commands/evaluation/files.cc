#include "daemon/commands/evaluation/files.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/lines.h"

namespace cinnabar::daemon::evaluation {

Status each_line(const std::string& path, std::istream& in, const TakeLine& take) {
  std::string text;
  for (std::size_t number = 1; next_line(in, text); ++number) {
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    const std::string place = path + ":" + std::to_string(number) + ": ";
    nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object()) return Status::error(place + "expected a JSON object");
    if (Status taken = take(std::move(line)); !taken) return Status::error(place + taken.message());
  }
  return {};
}

Status each_line_of(const std::vector<std::string>& paths, const TakeLine& take) {
  for (const std::string& path : paths) {
    std::ifstream file;
    if (path != "-") file.open(path);
    if (!file) return Status::error("cannot read " + path);
    if (Status read = each_line(path, path == "-" ? std::cin : file, take); !read) return read;
  }
  return {};
}

Status put_between_marks(const std::string& path, std::string_view name, std::string_view text) {
  const std::string opening = "<!-- " + std::string(name) + " -->\n",
                    closing = "<!-- end of " + std::string(name) + " -->";
  std::stringstream whole;
  std::ifstream in(path);
  whole << in.rdbuf();
  std::string content = whole.str();
  const std::size_t begin = content.find(opening), end = content.find(closing, std::min(begin, content.size()));
  if (!in || begin == std::string::npos || end == std::string::npos)
    return Status::error(path + " cannot be read, or lacks the lines '" + opening.substr(0, opening.size() - 1) +
                         "' and '" + closing + "', between which the tables go");
  content.replace(begin + opening.size(), end - begin - opening.size(), text);
  std::ofstream out(path);
  out << content << std::flush;
  return out ? Status() : Status::error("cannot write " + path);
}

std::string formatted(double value, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

std::string percentile(std::vector<double>& values, double p) {
  if (values.empty()) return "-";
  std::sort(values.begin(), values.end());
  return formatted(values[static_cast<std::size_t>(std::ceil(p * static_cast<double>(values.size()))) - 1], 0);
}

}  // namespace cinnabar::daemon::evaluation
