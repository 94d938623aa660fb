#include "daemon/editing/next_edit_machine.h"

#include "daemon/editing/next_edit.h"
#include "daemon/editing/window_edit.h"

namespace cinnabar::daemon {

std::unique_ptr<NextEditMachine> make_next_edit(NextEditForm form, const EditScene& scene, std::string path,
                                                NextEditOptions options) {
  if (form != NextEditForm::proposals) {
    const syntax::Language* language = scene.tree == nullptr ? nullptr : &scene.tree->language();
    WindowScene window{std::move(path), std::string(scene.text), scene.history, scene.cursor, language};
    return std::make_unique<WindowMachine>(form, std::move(window), std::move(options.defaults),
                                           std::move(options.refused));
  }
  auto candidates = edits_by_analogy(scene);
  if (options.refused) std::erase_if(candidates, options.refused);
  return std::make_unique<ProposalMachine>(std::string(scene.text), std::move(candidates),
                                           whole_lines(scene.text, scene.history.back()), std::move(options));
}

}  // namespace cinnabar::daemon
