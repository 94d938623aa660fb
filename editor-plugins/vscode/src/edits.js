// The server's edits as commands of the palette: at the cursor, or in the selection.
import * as vscode from 'vscode';
import { isServed } from './settings.js';

/** Runs a command of the server's; the server applies the edit and shows its progress. */
export async function runEdit(service, command) {
  const editor = vscode.window.activeTextEditor;
  const client = service.running;
  if (!client || !editor || !isServed(editor.document)) {
    vscode.window.showWarningMessage(`Cinnabar: ${client ? 'no file is being edited' : 'no server runs'}.`);
    return;
  }
  const { code2ProtocolConverter: to } = client;
  const place = { textDocument: to.asVersionedTextDocumentIdentifier(editor.document), range: to.asRange(editor.selection) };
  try {
    await client.sendRequest('workspace/executeCommand', { command, arguments: [place] });
  } catch (error) {
    vscode.window.showWarningMessage(`Cinnabar: ${error.message}.`);
  }
}
