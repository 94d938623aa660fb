// Cinnabar in VS Code: a language client, its status, and a few commands. The rest is the server's.
import * as vscode from 'vscode';
import { rewrite, runEdit } from './edits.js';
import { NextEdit } from './next_edit.js';
import { Preview } from './preview.js';
import { Service } from './service.js';
import { changesProgram, toggleLanguage } from './settings.js';
import { Status, askMinutes, showMenu } from './status.js';

let service;

export function activate(context) {
  const log = vscode.window.createOutputChannel('Cinnabar', { log: true });
  const status = new Status();
  const preview = new Preview();
  service = new Service(context.extension, status, log, preview);
  const nextEdit = new NextEdit(service);
  const command = (name, run) => vscode.commands.registerCommand(`cinnabar.${name}`, run);
  context.subscriptions.push(log, status, nextEdit, preview,
    command('completeFunctionAtCursor', () => runEdit(service, 'cinnabar.completeFunction', 'completing the function')),
    command('fillAllHoles', () => runEdit(service, 'cinnabar.fillHoles', 'filling the holes')),
    command('rewriteSelection', () => rewrite(service, false)),
    command('rewriteSelectionWithPreview', () => rewrite(service, true)),
    command('showPreview', (title, edit) => preview.show(title, edit)),
    command('applyPreview', () => preview.apply()),
    command('discardPreview', () => preview.discard()),
    command('nextEdit', () => nextEdit.goOrAccept()),
    command('rejectNextEdit', () => nextEdit.reject()),
    command('trigger', () => vscode.commands.executeCommand('editor.action.inlineSuggest.trigger')),
    command('toggleLanguage', () => toggleForEditor()),
    command('snooze', () => snooze(service)),
    command('showWalkthrough', () => vscode.commands.executeCommand('workbench.action.openWalkthrough', 'cinnabar.cinnabar#start')),
    command('restart', () => service.restart()),
    command('showLog', () => log.show()),
    command('toggle', () => service.toggle()),
    command('menu', () => showMenu(status, service.isOff)),
    vscode.window.onDidChangeActiveTextEditor((editor) => {
      nextEdit.hide();
      service.focus(editor);
    }),
    vscode.workspace.onDidChangeTextDocument((event) => nextEdit.changed(event)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => service.settingsChanged()),
    // The client itself tells the server of the other settings' changes.
    vscode.workspace.onDidChangeConfiguration((event) => changesProgram(event) && service.restart()));
  // Not awaited: activation does not depend on the program being there.
  service.start();
}

function toggleForEditor() {
  const editor = vscode.window.activeTextEditor;
  return editor && toggleLanguage(editor.document.languageId);
}

async function snooze(target) {
  const minutes = await askMinutes();
  if (minutes) target.snooze(minutes);
}

export const deactivate = () => service?.stop();
