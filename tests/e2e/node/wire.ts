// Every message of an ordinary session, by the reference library's types: the schema of these properties is what each
// message on the wire is checked against (validate.mjs). METHOD.params for what either side sends, METHOD.result for
// the answer to it.
import type * as lsp from 'vscode-languageserver-protocol';

/** What Copilot's language server says about itself, and ours in the same form. */
export interface StatusParams {
  busy: boolean;
  kind: 'Normal' | 'Error' | 'Warning' | 'Inactive';
  message: string;
}

export interface Wire {
  'initialize.params': lsp.InitializeParams;
  'initialize.result': lsp.InitializeResult;
  'initialized.params': lsp.InitializedParams;
  'shutdown.result': null;
  'textDocument/didOpen.params': lsp.DidOpenTextDocumentParams;
  'textDocument/didChange.params': lsp.DidChangeTextDocumentParams;
  'textDocument/didClose.params': lsp.DidCloseTextDocumentParams;
  'textDocument/inlineCompletion.params': lsp.InlineCompletionParams;
  'textDocument/inlineCompletion.result': lsp.InlineCompletionList | lsp.InlineCompletionItem[] | null;
  'textDocument/completion.params': lsp.CompletionParams;
  'textDocument/completion.result': lsp.CompletionItem[] | lsp.CompletionList | null;
  'workspace/executeCommand.params': lsp.ExecuteCommandParams;
  'workspace/executeCommand.result': lsp.LSPAny | null;
  'textDocument/codeAction.params': lsp.CodeActionParams;
  'textDocument/codeAction.result': (lsp.Command | lsp.CodeAction)[] | null;
  'codeAction/resolve.params': lsp.CodeAction;
  'codeAction/resolve.result': lsp.CodeAction;
  'workspace/applyEdit.params': lsp.ApplyWorkspaceEditParams;
  'workspace/applyEdit.result': lsp.ApplyWorkspaceEditResult;
  'workspace/configuration.params': lsp.ConfigurationParams;
  'workspace/configuration.result': lsp.LSPAny[];
  'workspace/didChangeConfiguration.params': lsp.DidChangeConfigurationParams;
  'client/registerCapability.params': lsp.RegistrationParams;
  'client/registerCapability.result': null;
  'window/workDoneProgress/create.params': lsp.WorkDoneProgressCreateParams;
  'window/workDoneProgress/create.result': null;
  'window/logMessage.params': lsp.LogMessageParams;
  'window/showMessage.params': lsp.ShowMessageParams;
  '$/progress.params': {
    token: lsp.ProgressToken;
    value: lsp.WorkDoneProgressBegin | lsp.WorkDoneProgressReport | lsp.WorkDoneProgressEnd;
  };
  '$/cancelRequest.params': { id: number | string };
  'didChangeStatus.params': StatusParams;
}
