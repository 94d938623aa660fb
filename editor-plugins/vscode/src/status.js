// The status bar item: what the server says of itself, in one word and an icon, with a menu on click.
import * as vscode from 'vscode';
import { isEnabled } from './settings.js';

const LOOKS = {
  starting: { icon: 'loading~spin' },
  loading: { icon: 'loading~spin' },
  ready: { icon: 'check' },
  warning: { icon: 'warning', background: 'statusBarItem.warningBackground' },
  error: { icon: 'error', background: 'statusBarItem.errorBackground' },
  off: { icon: 'circle-slash' },
};

// The server's didChangeStatus: {busy, kind, message}.
function wordFor({ busy, kind }) {
  if (kind === 'Error') return 'error';
  if (kind === 'Warning') return 'warning';
  if (kind === 'Inactive') return 'off';
  return busy ? 'loading' : 'ready';
}

export class Status {
  constructor() {
    this.item = vscode.window.createStatusBarItem('status', vscode.StatusBarAlignment.Right, 100);
    this.item.name = 'Cinnabar';
    this.item.command = 'cinnabar.menu';
    this.show('starting', '');
    this.item.show();
  }

  show(word, message) {
    const { icon, background } = LOOKS[word];
    this.item.text = `$(${icon}) Cinnabar`;
    this.item.tooltip = `Cinnabar: ${word}${message ? `; ${message}` : ''}`;
    this.item.accessibilityInformation = { label: this.item.tooltip };
    this.item.backgroundColor = background && new vscode.ThemeColor(background);
  }

  showServer(status) {
    // The server's name for it; here the user has set cinnabar.enable.
    this.show(wordFor(status), status.message.replace('cinnabar.languages', 'cinnabar.enable'));
  }

  dispose() {
    this.item.dispose();
  }
}

export async function showMenu(status, isOff) {
  const language = vscode.window.activeTextEditor?.document.languageId;
  const choice = await vscode.window.showQuickPick([
    { label: isOff ? '$(play) Turn on' : '$(circle-slash) Turn off for this window', command: 'cinnabar.toggle' },
    ...isOff ? [] : [{ label: '$(bell-slash) Snooze...', command: 'cinnabar.snooze' }],
    ...language ? [{ label: `$(code) Turn ${isEnabled(language) ? 'off' : 'on'} for ${language}`, command: 'cinnabar.toggleLanguage' }] : [],
    { label: '$(symbol-method) Complete function', command: 'cinnabar.completeFunctionAtCursor' },
    { label: '$(checklist) Fill all holes', command: 'cinnabar.fillAllHoles' },
    { label: '$(debug-restart) Restart', command: 'cinnabar.restart' },
    { label: '$(output) Show log', command: 'cinnabar.showLog' },
    { label: '$(book) Get started', command: 'cinnabar.showWalkthrough' },
    { label: '$(gear) Settings', command: 'workbench.action.openSettings', argument: 'cinnabar' },
  ], { placeHolder: status.item.tooltip });
  if (choice) await vscode.commands.executeCommand(choice.command, choice.argument);
}

/** How long, in minutes; undefined: not at all. */
export async function askMinutes() {
  const choice = await vscode.window.showQuickPick([
    { label: '5 minutes', minutes: 5 },
    { label: '15 minutes', minutes: 15 },
    { label: 'an hour', minutes: 60 },
    { label: '8 hours', minutes: 480 },
  ], { placeHolder: 'Off for' });
  return choice?.minutes;
}
