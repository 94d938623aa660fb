// The server's edits as commands of the palette: at the cursor, or in the selection.
import * as vscode from 'vscode';
import { isServed } from './settings.js';

/** Runs a command of the server's, which applies the edit; a notification says so and can cancel it. */
export async function runEdit(service, command, title) {
  const editor = vscode.window.activeTextEditor;
  const client = service.running;
  if (!client || !editor || !isServed(editor.document)) {
    vscode.window.showWarningMessage(`Cinnabar: ${client ? 'no file is being edited' : 'no server runs'}.`);
    return;
  }
  const { code2ProtocolConverter: to } = client;
  const place = { textDocument: to.asVersionedTextDocumentIdentifier(editor.document), range: to.asRange(editor.selection) };
  const options = { location: vscode.ProgressLocation.Notification, title: `Cinnabar: ${title}`, cancellable: true };
  let wasCancelled = false;
  try {
    await vscode.window.withProgress(options, (_, token) => {
      token.onCancellationRequested(() => { wasCancelled = true; });
      return client.sendRequest('workspace/executeCommand', { command, arguments: [place] }, token);
    });
  } catch (error) {
    if (!wasCancelled) vscode.window.showWarningMessage(`Cinnabar: ${error.message}.`);
  }
}
