// The server's edits as commands of the palette: at the cursor, or in the selection.
import * as vscode from 'vscode';
import { isServed } from './settings.js';

// The client and the editor in front; undefined where there is nothing to be edited, which the user is told.
function scene(service) {
  const editor = vscode.window.activeTextEditor;
  const client = service.running;
  if (client && editor && isServed(editor.document)) return { client, editor };
  vscode.window.showWarningMessage(`Cinnabar: ${client ? 'no file is being edited' : 'no server runs'}.`);
  return undefined;
}

function placeIn({ client, editor }) {
  const { code2ProtocolConverter: to } = client;
  return { textDocument: to.asVersionedTextDocumentIdentifier(editor.document), range: to.asRange(editor.selection) };
}

/** Runs a command of the server's at the cursor or in the selection. */
export async function runEdit(service, command, title) {
  const here = scene(service);
  if (here) await run(here.client, command, title, placeIn(here));
}

/** Asks for an instruction and rewrites the selected lines, or that at the cursor, by it. */
export async function rewrite(service, confirm) {
  const here = scene(service);
  if (!here) return;
  const { textDocument: { uri, version }, range } = placeIn(here);
  const instruction = await vscode.window.showInputBox({
    title: confirm ? 'Cinnabar: rewrite, with a preview' : 'Cinnabar: rewrite', prompt: 'What is to be done with the selected lines?',
    placeHolder: 'use a set instead of a list',
  });
  if (!instruction?.trim()) return;
  await run(here.client, 'cinnabar.rewrite', 'rewriting', { uri, version, range, instruction, confirm, title: `Rewrite: ${instruction}` });
}

// The server applies the edit; a notification says that it works and can cancel it.
async function run(client, command, title, argument) {
  const options = { location: vscode.ProgressLocation.Notification, title: `Cinnabar: ${title}`, cancellable: true };
  let wasCancelled = false;
  try {
    await vscode.window.withProgress(options, (_, token) => {
      token.onCancellationRequested(() => { wasCancelled = true; });
      return client.sendRequest('workspace/executeCommand', { command, arguments: [argument] }, token);
    });
  } catch (error) {
    if (!wasCancelled) vscode.window.showWarningMessage(`Cinnabar: ${error.message}.`);
  }
}
