// The wire structs: what is read, what is written, and how a bad field is named.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "lsp/code_action.h"
#include "lsp/command.h"
#include "lsp/completion.h"
#include "lsp/inline_completion.h"
#include "lsp/lifecycle.h"
#include "lsp/text_document.h"
#include "lsp/window.h"
#include "lsp/workspace.h"

namespace cinnabar::lsp {
namespace {

template <typename T>
T good(const std::string& text) {
  const auto json = parse_json(text);
  REQUIRE(json.ok());
  auto value = read<T>(*json, "params", ErrorCode::invalid_params);
  INFO((value.ok() ? "" : value.error().message));
  REQUIRE(value.ok());
  return std::move(value).value();
}

template <typename T>
std::string bad(const char* text) {
  const auto json = parse_json(text);
  REQUIRE(json.ok());
  const auto value = read<T>(*json, "params", ErrorCode::invalid_params);
  return value.ok() ? "accepted" : value.error().message;
}

TEST_CASE("a bad field is named by its path, with what was expected and found") {
  using Change = DidChangeParams;
  CHECK(bad<Change>("null") == "params: expected object, found null");
  CHECK(bad<Change>("{}") == "params.textDocument: missing");
  CHECK(bad<Change>(R"({"textDocument":[]})") == "params.textDocument: expected object, found array");
  CHECK(bad<Change>(R"({"textDocument":{"uri":"u"}})") == "params.contentChanges: missing");
  CHECK(bad<Change>(R"({"textDocument":{"uri":"u","version":1.5}})") ==
        "params.textDocument.version: expected whole number within 32 bits, found 1.5");
  CHECK(bad<Change>(R"({"textDocument":{"uri":"u","version":null}})") == "params.contentChanges: missing");
  CHECK(bad<Change>(R"({"textDocument":{"uri":"u","version":1},"contentChanges":{}})") ==
        "params.contentChanges: expected array, found object");
  CHECK(bad<Change>(R"({"textDocument":{"uri":"u","version":1},"contentChanges":[{"text":""},{"text":null}]})") ==
        "params.contentChanges[1].text: expected string, found null");
  CHECK(bad<Change>(R"({"textDocument":{"uri":"u","version":1},"contentChanges":[
            {"text":"","range":{"start":{"line":0,"character":0},"end":{"line":-1,"character":0}}}]})") ==
        "params.contentChanges[0].range.end.line: expected whole number from 0 to 2147483647, found -1");
  CHECK(bad<TextDocumentPosition>(R"({"textDocument":{"uri":"u"},"position":{"line":-1,"character":0}})") ==
        "params.position.line: expected whole number from 0 to 2147483647, found -1");
  CHECK(bad<InlineCompletionParams>(R"({"textDocument":{"uri":"u"},"position":{"line":0,"character":0},
            "context":{"triggerKind":3}})") ==
        "params.context.triggerKind: expected 1 (invoked) or 2 (automatic), found 3");
  CHECK(bad<ExecuteCommandParams>(R"({"command":"c","arguments":{}})") ==
        "params.arguments: expected array, found object");
  CHECK(bad<CodeActionParams>(R"({"textDocument":{"uri":"u"},"range":{"start":{"line":0,"character":0},
            "end":{"line":0,"character":0}},"context":{"only":["a",1]}})") ==
        "params.context.only[1]: expected string, found 1");
}

TEST_CASE("document synchronisation is read") {
  const auto open = good<DidOpenParams>(R"({"textDocument":{"uri":"u","languageId":"c","version":-3,"text":"x"}})");
  CHECK(open.text_document.uri == "u");
  CHECK(open.text_document.language_id == "c");
  CHECK(open.text_document.version == -3);
  const auto change = good<DidChangeParams>(R"({"textDocument":{"uri":"u","version":2.0},"contentChanges":[
      {"text":"all"},{"text":"","rangeLength":3,"range":{"start":{"line":1,"character":2},"end":{"line":3,"character":4}}}]})");
  CHECK(change.text_document.version == 2);
  REQUIRE(change.changes.size() == 2);
  CHECK_FALSE(change.changes[0].range.has_value());
  CHECK(change.changes[1].range == Range{{1, 2}, {3, 4}});
  CHECK(good<DidSaveParams>(R"({"textDocument":{"uri":"u"},"text":null})").text == std::nullopt);
}

TEST_CASE("initialize: folders, options and the capabilities that matter to us") {
  const auto params = good<InitializeParams>(R"({"processId":7,"clientInfo":{"name":"Neovim"},"rootUri":"file:///r",
      "initializationOptions":{"a":1},"capabilities":{
        "general":{"positionEncodings":["utf-16",5,"utf-8"]},
        "workspace":{"configuration":true,"applyEdit":"yes","workspaceEdit":{"documentChanges":true,
          "changeAnnotationSupport":{}}},
        "textDocument":{"inlineCompletion":{"dynamicRegistration":false},"codeAction":{"dataSupport":true,
          "resolveSupport":{"properties":["command","edit"]},"tagSupport":{"valueSet":[1]}}},
        "window":{"workDoneProgress":true,"showDocument":{"support":true}}}})");
  CHECK(params.process_id == 7);
  CHECK(params.client->name == "Neovim");
  REQUIRE(params.folders.size() == 1);
  CHECK(params.folders[0].uri == "file:///r");
  CHECK(params.options == Json{{"a", 1}});
  const auto& client = params.capabilities;
  CHECK(client.configuration);
  CHECK_FALSE(client.apply_edit);  // not a boolean: counts as absent
  CHECK(client.document_changes);
  CHECK(client.change_annotations);
  CHECK(client.inline_completion);
  CHECK(client.code_action_data);
  CHECK(client.code_action_resolves_edit);
  CHECK(client.code_action_tags);
  CHECK_FALSE(client.code_action_literals);
  CHECK(client.work_done_progress);
  CHECK(client.show_document);
  CHECK(choose_position_encoding(client) == PositionEncoding::utf8);

  const auto bare =
      good<InitializeParams>(R"({"processId":null,"rootUri":null,"workspaceFolders":null,"capabilities":{}})");
  CHECK_FALSE(bare.process_id.has_value());
  CHECK(bare.folders.empty());
  CHECK(bare.options.is_null());
  CHECK(choose_position_encoding(bare.capabilities) == PositionEncoding::utf16);
}

TEST_CASE("who asks before an annotated edit is applied: who says so, but for Neovim, which applies it at once") {
  const std::string capabilities = R"("capabilities":{"workspace":{"workspaceEdit":{"changeAnnotationSupport":{}}},
      "textDocument":{"codeAction":{"honorsChangeAnnotations":true}}})";
  CHECK(good<InitializeParams>("{" + capabilities + "}").capabilities.confirms_annotated);
  CHECK_FALSE(good<InitializeParams>(R"({"clientInfo":{"name":"Neovim"},)" + capabilities + "}")
                  .capabilities.confirms_annotated);
  CHECK_FALSE(
      good<InitializeParams>(R"({"capabilities":{"textDocument":{"codeAction":{"honorsChangeAnnotations":true}}}})")
          .capabilities.confirms_annotated);
}

TEST_CASE("the position encoding is chosen among those offered") {
  using Names = std::vector<std::string>;
  const auto chosen = [](Names names) {
    ClientCapabilities client;
    client.position_encodings = std::move(names);
    return choose_position_encoding(client);
  };
  CHECK(chosen({"utf-16", "utf-8", "utf-32"}) == PositionEncoding::utf8);
  CHECK(chosen({"utf-32", "utf-16"}) == PositionEncoding::utf32);
  CHECK(chosen({"utf-7"}) == PositionEncoding::utf16);
}

TEST_CASE("initialize is answered with what we do") {
  CHECK(to_json(InitializeResult{{PositionEncoding::utf8, {"c"}, {"refactor"}}, {"n", "1"}}) ==
        Json::parse(R"({"serverInfo":{"name":"n","version":"1"},"capabilities":{"positionEncoding":"utf-8",
          "textDocumentSync":{"openClose":true,"change":2,"save":{"includeText":false}},
          "inlineCompletionProvider":{},"executeCommandProvider":{"commands":["c"]},
          "codeActionProvider":{"codeActionKinds":["refactor"],"resolveProvider":true},
          "workspace":{"workspaceFolders":{"supported":true,"changeNotifications":true}}}})"));
  CHECK_FALSE(to_json(ServerCapabilities{}).contains("executeCommandProvider"));
}

TEST_CASE("inline completion: params with and without the additions, items") {
  const auto plain = good<InlineCompletionParams>(
      R"({"textDocument":{"uri":"u"},"position":{"line":1,"character":2},"context":{"triggerKind":1},"workDoneToken":3})");
  CHECK(plain.trigger == TriggerKind::invoked);
  CHECK_FALSE(plain.text_document.version.has_value());
  CHECK_FALSE(plain.selected.has_value());
  const auto full = good<InlineCompletionParams>(R"({"textDocument":{"uri":"u","version":5},
      "position":{"line":1,"character":2},"formattingOptions":{"tabSize":2,"insertSpaces":false},
      "context":{"triggerKind":2,"selectedCompletionInfo":{"text":"ab",
        "range":{"start":{"line":1,"character":0},"end":{"line":1,"character":2}}}}})");
  CHECK(full.text_document.version == 5);
  CHECK(full.formatting->tab_size == 2);
  CHECK(full.selected->text == "ab");

  const auto json =
      Json::parse(R"({"items":[{"insertText":"x","filterText":"f","range":{"start":{"line":1,"character":0},
      "end":{"line":1,"character":2}},"command":{"title":"t","command":"c","arguments":[1]}},{"insertText":"y"}]})");
  InlineCompletionList list{
      {{"x", "f", Range{{1, 0}, {1, 2}}, Command{"t", "c", Json::array({1})}}, {"y", {}, {}, {}}}};
  CHECK(to_json(list) == json);
  CHECK(to_json(InlineCompletionList{}) == Json::parse(R"({"items":[]})"));
  CHECK(to_json(good<InlineCompletionItem>(json["items"][0].dump().c_str())) == json["items"][0]);
  CHECK(good<InlineCompletionItem>(R"({"insertText":{"kind":"snippet","value":"v"}})").insert_text == "v");
}

TEST_CASE("completion for the pop-up menu: params, items, announced at once or later") {
  const auto bare = good<CompletionParams>(R"({"textDocument":{"uri":"u"},"position":{"line":1,"character":2}})");
  CHECK(bare.trigger == CompletionTrigger::invoked);
  CHECK(good<CompletionParams>(R"({"textDocument":{"uri":"u"},"position":{"line":1,"character":2},
      "context":{"triggerKind":2,"triggerCharacter":"."}})")
            .trigger == CompletionTrigger::character);
  CHECK(bad<CompletionParams>(R"({"textDocument":{"uri":"u"},"position":{"line":1,"character":2},
      "context":{"triggerKind":4}})") ==
        "params.context.triggerKind: expected 1 (invoked), 2 (trigger character) or 3 (incomplete list), found 4");
  CompletionItem item;
  item.label = "l";
  item.detail = "d";
  item.filter_text = "f";
  item.new_text = "n";
  item.range = {{1, 0}, {1, 2}};
  const auto plain = Json::parse(R"({"label":"l","kind":1,"detail":"d","filterText":"f","preselect":false,
      "insertTextFormat":1,"insertTextMode":1,
      "textEdit":{"newText":"n","range":{"start":{"line":1,"character":0},"end":{"line":1,"character":2}}}})");
  CHECK(to_json(CompletionList{{item}}) == Json({{"isIncomplete", true}, {"items", Json::array({plain})}}));
  item.documentation = "t";
  item.command = Command{"", "c", Json::array({1})};
  CHECK(to_json(item).at("documentation") == "t");
  CHECK(to_json(item).at("command").at("arguments") == Json::array({1}));

  CHECK_FALSE(to_json(ServerCapabilities{}).contains("completionProvider"));
  ServerCapabilities capabilities;
  capabilities.completion = true;
  CHECK(to_json(capabilities).at("completionProvider") == completion_options());
  CHECK(to_json(Registration{"i", "m", {{"documentSelector", nullptr}}}) ==
        Json::parse(R"({"registrations":[{"id":"i","method":"m","registerOptions":{"documentSelector":null}}]})"));
  CHECK(to_json(Registration{"i", "m"}) == Json::parse(R"({"registrations":[{"id":"i","method":"m"}]})"));
  CHECK(to_json(Unregistration{"i", "m"}) == Json::parse(R"({"unregisterations":[{"id":"i","method":"m"}]})"));
}

TEST_CASE("the shapes of Copilot's clients") {
  CHECK(good<DidShowCompletionParams>(R"({"item":{"insertText":"x"}})").item.insert_text == "x");
  CHECK(good<DidPartiallyAcceptParams>(R"({"item":{"insertText":"xyz"},"acceptedLength":2})").accepted_length == 2);
  CHECK(good<DidShowInlineEditParams>(R"({"item":{"command":{"command":"c"}}})").command->name == "c");
  CHECK(good<DidFocusParams>(R"({"textDocument":{"uri":"u"}})").uri == "u");
  CHECK_FALSE(good<DidFocusParams>("{}").uri.has_value());
  CHECK(bad<DidFocusParams>(R"({"textDocument":{}})") == "params.textDocument.uri: missing");
  CHECK(to_json(StatusParams{true, StatusParams::Kind::warning, "m"}) ==
        Json::parse(R"({"busy":true,"kind":"Warning","message":"m"})"));
  CHECK(to_json(NextEditList{{{"t", {"u", 3}, {{0, 1}, {0, 2}}, {}}}}) ==
        Json::parse(R"({"edits":[{"text":"t","textDocument":{"uri":"u","version":3},
          "range":{"start":{"line":0,"character":1},"end":{"line":0,"character":2}}}]})"));
}

TEST_CASE("code actions and edits") {
  CodeAction action{.title = "t", .kind = "refactor", .is_generated = true, .data = 7};
  const auto json = Json::parse(R"({"title":"t","kind":"refactor","tags":[1],"data":7})");
  CHECK(to_json(action) == json);
  const auto back = good<CodeAction>(json.dump().c_str());
  CHECK(back.is_generated);
  CHECK(back.data == 7);
  action.edit = WorkspaceEdit{{{{"u", 2}, {{{{0, 0}, {0, 1}}, "n", "a"}}}, {{"v", {}}, {}}}, {{"a", "l", true, ""}}};
  CHECK(to_json(*action.edit) ==
        Json::parse(R"({"documentChanges":[{"textDocument":{"uri":"u","version":2},"edits":[{"newText":"n",
          "annotationId":"a","range":{"start":{"line":0,"character":0},"end":{"line":0,"character":1}}}]},
          {"textDocument":{"uri":"v","version":null},"edits":[]}],
          "changeAnnotations":{"a":{"label":"l","needsConfirmation":true}}})"));
  CHECK(good<CodeActionParams>(R"({"textDocument":{"uri":"u"},"range":{"start":{"line":0,"character":0},
      "end":{"line":0,"character":0}},"context":{"diagnostics":[],"only":["refactor"],"triggerKind":2}})")
            .trigger == TriggerKind::automatic);
}

TEST_CASE("progress, messages, configuration") {
  using Kind = WorkDoneProgress::Kind;
  CHECK(to_json(WorkDoneProgress{RequestId("t"), Kind::begin, "T", "m", 0u, true}) ==
        Json::parse(
            R"({"token":"t","value":{"kind":"begin","title":"T","message":"m","percentage":0,"cancellable":true}})"));
  CHECK(to_json(WorkDoneProgress{RequestId(1), Kind::report, "", "", 50u, false}) ==
        Json::parse(R"({"token":1,"value":{"kind":"report","percentage":50,"cancellable":false}})"));
  CHECK(to_json(WorkDoneProgress{RequestId(1), Kind::end, "", "", {}, false}) ==
        Json::parse(R"({"token":1,"value":{"kind":"end"}})"));
  CHECK(good<CancelProgressParams>(R"({"token":"t"})").token == RequestId("t"));
  CHECK(bad<CancelProgressParams>(R"({"token":null})") ==
        "params: expected token as string or whole number, found object");
  CHECK(to_json(ConfigurationParams{{{"u", "s"}, {{}, "s"}}}) ==
        Json::parse(R"({"items":[{"section":"s","scopeUri":"u"},{"section":"s"}]})"));
  CHECK(good<DidChangeConfigurationParams>(R"({"settings":null})").settings.is_null());
  const auto folders =
      good<DidChangeWorkspaceFoldersParams>(R"({"event":{"added":[{"uri":"u","name":"n"}],"removed":[]}})");
  CHECK(folders.added.at(0).uri == "u");
  CHECK(to_json(Registration{"i", "m"}) == Json::parse(R"({"registrations":[{"id":"i","method":"m"}]})"));
}

TEST_CASE("positions beyond LSP's numbers count as its largest; a change without a version is one") {
  for (const char* number : {"2147483647", "2147483648", "4294967296", "18446744073709551616", "1e300"}) {
    CAPTURE(number);
    const std::string text =
        R"({"textDocument":{"uri":"u","version":null},"contentChanges":[{"text":"x","range":{"start":
        {"line":0,"character":)" +
        std::string(number) + R"(},"end":{"line":)" + number + R"(,"character":0}}}]})";
    const auto change = good<DidChangeParams>(text.c_str());
    CHECK_FALSE(change.text_document.version);
    CHECK(change.changes[0].range->start.character == 2147483647);
    CHECK(change.changes[0].range->end.line == 2147483647);
  }
  CHECK_FALSE(good<DidChangeParams>(R"({"textDocument":{"uri":"u"},"contentChanges":[]})").text_document.version);
}

}  // namespace
}  // namespace cinnabar::lsp
