// The next edit: what the last one asks for elsewhere (textDocument/copilotInlineEdit), drawn in the text. VS Code's own drawing of
// such edits is closed to extensions, so decorations do it: what goes in one colour, what comes behind it in another.
import * as vscode from 'vscode';
import { isEnabled, isServed } from './settings.js';

const PAUSE = 300;  // ms without a change of the text before the server is asked

const color = (name) => new vscode.ThemeColor(name);

export class NextEdit {
  constructor(service) {
    this.service = service;
    this.removed = vscode.window.createTextEditorDecorationType({ backgroundColor: color('diffEditor.removedTextBackground') });
    this.added = vscode.window.createTextEditorDecorationType({});
  }

  dispose() {
    clearTimeout(this.timer);
    this.cancelRequest();
    this.removed.dispose();
    this.added.dispose();
  }

  /** The text has changed: what is shown no longer fits, and after a pause there may be something else. */
  changed({ document, contentChanges }) {
    if (document !== vscode.window.activeTextEditor?.document || contentChanges.length === 0) return;
    this.askSoon();
  }

  askSoon() {
    this.hide();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  cancelRequest() {
    this.request?.cancel();
    this.request = undefined;
  }

  async ask() {
    const editor = vscode.window.activeTextEditor;
    const client = this.service.running;
    if (!client || !editor || this.service.isOff || !isServed(editor.document) || !isEnabled(editor.document.languageId)) return;
    const { document } = editor;
    const version = document.version;
    const to = client.code2ProtocolConverter;
    this.cancelRequest();
    const request = this.request = new vscode.CancellationTokenSource();
    const params = { textDocument: to.asVersionedTextDocumentIdentifier(document), position: to.asPosition(editor.selection.active) };
    let answer;
    try {
      answer = await client.sendRequest('textDocument/copilotInlineEdit', params, request.token);
    } catch {
      return;  // nothing is shown then, and nobody has asked for it
    }
    if (request !== this.request) return;
    this.request = undefined;
    const [edit] = answer?.edits ?? [];
    if (edit && document.version === version && vscode.window.activeTextEditor === editor) this.show(client, editor, edit);
  }

  show(client, editor, { range, text, command }) {
    this.shown = { editor, range: client.protocol2CodeConverter.asRange(range), text, command };
    const hoverMessage = new vscode.MarkdownString().appendCodeblock(text, editor.document.languageId);
    const end = new vscode.Range(this.shown.range.end, this.shown.range.end);
    const after = {
      contentText: text.replace(/\n/g, '\u23ce'), color: color('editorGhostText.foreground'),
      backgroundColor: color('diffEditor.insertedTextBackground'), margin: '0 0 0 2px',
    };
    editor.setDecorations(this.removed, [{ range: this.shown.range, hoverMessage }]);
    editor.setDecorations(this.added, [{ range: end, hoverMessage, renderOptions: { after } }]);
    vscode.commands.executeCommand('setContext', 'cinnabar.hasNextEdit', true);
    client.sendNotification('textDocument/didShowInlineEdit', { item: { command } });
  }

  hide() {
    this.cancelRequest();
    if (!this.shown) return;
    for (const type of [this.removed, this.added]) this.shown.editor.setDecorations(type, []);
    this.shown = undefined;
    vscode.commands.executeCommand('setContext', 'cinnabar.hasNextEdit', false);
  }

  /** Goes to what is shown; where the cursor is there, applies it. */
  async goOrAccept() {
    if (!this.shown) return;
    const { editor, range, text, command } = this.shown;
    if (editor.selection.active.line !== range.start.line) {
      editor.selection = new vscode.Selection(range.start, range.start);
      editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
      return;
    }
    this.hide();
    if (await editor.edit((change) => change.replace(range, text))) this.tell(command?.command, command);
  }

  /** Takes away what is shown; it is not suggested again. */
  async reject() {
    if (!this.shown) return;
    const { command } = this.shown;
    this.hide();
    await this.tell('cinnabar.nextEditRejected', command);
    this.askSoon();
  }

  async tell(name, command) {
    const client = this.service.running;
    if (!client || !command) return;
    await client.sendRequest('workspace/executeCommand', { command: name, arguments: command.arguments }).catch(() => undefined);
  }
}
