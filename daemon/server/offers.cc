#include "daemon/server/offers.h"

#include <algorithm>

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kKept = 32;

}  // namespace

lsp::Command Offers::make(const Target& target, const std::string& text) {
  offers_.push_front({++last_, target, text});
  if (offers_.size() > kKept) offers_.pop_back();
  return {"", kAccepted, lsp::Json::array({last_})};
}

Offer* Offers::find(const lsp::Json& arguments) {
  if (!arguments.is_array() || arguments.empty() || !arguments[0].is_number_unsigned()) return nullptr;
  const auto id = arguments[0].get<std::uint64_t>();
  const auto found = std::find_if(offers_.begin(), offers_.end(), [id](const Offer& offer) { return offer.id == id; });
  return found == offers_.end() ? nullptr : &*found;
}

}  // namespace cinnabar::daemon
