#include "daemon/editing/next_edit_form.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace cinnabar::daemon {
namespace {

struct NamedForm {
  std::string_view name;
  NextEditForm form;
  std::string_view in_file_name;  // in lower case; empty: no file's name says so
};
constexpr NamedForm kForms[] = {{"proposals", NextEditForm::proposals, ""},
                                {"sweep", NextEditForm::sweep, "sweep-next-edit"},
                                {"zeta", NextEditForm::zeta, "zeta-2"}};

}  // namespace

std::optional<NextEditForm> parse_next_edit_form(std::string_view text) {
  const auto* row =
      std::find_if(std::begin(kForms), std::end(kForms), [&](const auto& one) { return one.name == text; });
  return row == std::end(kForms) ? std::nullopt : std::optional(row->form);
}

NextEditForm form_by_file_name(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto* row = std::find_if(std::begin(kForms), std::end(kForms), [&](const auto& one) {
    return !one.in_file_name.empty() && name.find(one.in_file_name) != std::string::npos;
  });
  return row == std::end(kForms) ? NextEditForm::proposals : row->form;
}

}  // namespace cinnabar::daemon
