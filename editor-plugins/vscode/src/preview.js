// A change that the user wants to see first: the file beside what it would be, with Apply and Discard. VS Code's own preview lists
// such changes unticked, so that nothing comes of its Apply alone.
import { basename } from 'node:path';
import * as vscode from 'vscode';

const SCHEME = 'cinnabar-preview';  // of the text that would be; package.json's menus ask for it

/** Whether the user is to confirm an edit as the protocol sends it. */
export const wantsPreview = ({ changeAnnotations }) =>
  Object.values(changeAnnotations ?? {}).some(({ needsConfirmation }) => needsConfirmation);

function changed(document, edits) {
  const last = (a, b) => document.offsetAt(b.range.start) - document.offsetAt(a.range.start);
  return [...edits].sort(last).reduce((text, { range, newText }) =>
    text.slice(0, document.offsetAt(range.start)) + newText + text.slice(document.offsetAt(range.end)), document.getText());
}

export class Preview {
  constructor() {
    this.number = 0;
    const provider = { provideTextDocumentContent: (uri) => this.shown && this.isShown(uri) ? this.shown.text : '' };
    this.parts = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        if (closed.some((tab) => this.shows(tab))) this.shown = undefined;
      }),
    ];
  }

  dispose() {
    for (const part of this.parts) part.dispose();
  }

  shows({ input }) { return input instanceof vscode.TabInputTextDiff && this.isShown(input.modified); }

  isShown(uri) { return uri.toString() === this.shown?.uri.toString(); }

  /** Shows what an edit of one document would make of it. An earlier preview goes. */
  async show(title, edit) {
    const [[uri, edits]] = edit.entries();
    const document = await vscode.workspace.openTextDocument(uri);
    const beside = vscode.Uri.from({ scheme: SCHEME, path: uri.path, query: String(++this.number) });
    await this.close();
    this.shown = { uri: beside, document, version: document.version, edits, text: changed(document, edits) };
    await vscode.commands.executeCommand('vscode.diff', uri, beside, `${basename(uri.path)}: ${title}`);
    // Not awaited: the buttons above the text and the commands do the same.
    vscode.window.showInformationMessage(`Cinnabar: ${title}. Apply it?`, 'Apply', 'Discard').then((choice) => {
      if (!this.isShown(beside)) return;
      if (choice === 'Apply') this.apply();
      if (choice === 'Discard') this.discard();
    });
  }

  async close() {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => this.shows(tab));
    this.shown = undefined;
    await vscode.window.tabGroups.close(tabs);
  }

  /** Changes the file as it is shown, in one undo step; not where it was changed since. */
  async apply() {
    if (!this.shown) return;
    const { document, version, edits } = this.shown;
    await this.close();
    await vscode.window.showTextDocument(document);
    if (document.version !== version) {
      vscode.window.showWarningMessage('Cinnabar: the text has changed since the preview was made; nothing was applied.');
      return;
    }
    const edit = new vscode.WorkspaceEdit();
    edit.set(document.uri, edits.map(({ range, newText }) => new vscode.TextEdit(range, newText)));
    await vscode.workspace.applyEdit(edit);
  }

  async discard() {
    if (!this.shown) return;
    const { document } = this.shown;
    await this.close();
    await vscode.window.showTextDocument(document);
  }
}
