// What the user has set: for this extension, and for the server under its own names.
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';

// These are the extension's own. Everything else in package.json is a setting of the server, which
// check_settings.py compares with `cinnabar daemon --help`.
const OWN = new Set(['path', 'arguments', 'enable']);

// What the server is told of: files, unsaved documents and the cells of notebooks, not output panels or diffs.
export const SELECTOR = [{ scheme: 'file' }, { scheme: 'untitled' }, { scheme: 'vscode-notebook-cell' }];

export const isServed = (document) => vscode.languages.match(SELECTOR, document) > 0;

const settings = () => vscode.workspace.getConfiguration('cinnabar');

export const changesProgram = (event) =>
  event.affectsConfiguration('cinnabar.path') || event.affectsConfiguration('cinnabar.arguments');

/** Whether documents of this language are completed: the language's own entry, or that of "*". */
export function isEnabled(languageId) {
  const map = settings().get('enable', {});
  return map[languageId] ?? map['*'] ?? true;
}

/** Turns completion on or off for a language, in the user's own settings. */
export function toggleLanguage(languageId) {
  const map = settings().get('enable', {});
  return settings().update('enable', { ...map, [languageId]: !isEnabled(languageId) }, vscode.ConfigurationTarget.Global);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

// Where a program may lie that is not in PATH: a desktop's session has not read ~/.profile or the shell's files.
const PLACES = [join(homedir(), '.local/bin'), '/usr/local/bin', '/usr/bin', '/opt/homebrew/bin'];

/** The program and its arguments; `found` is undefined when there is no such program. */
export function program(extensionPath) {
  const name = settings().get('path') || 'cinnabar';
  const path = name.startsWith('~/') ? join(homedir(), name.slice(2)) : name;
  const candidates = path.includes('/')
    ? [path]
    : [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...PLACES].map((folder) => join(folder, path));
  // An extension for one platform brings the program along; a setting goes before it.
  if (path === 'cinnabar') candidates.unshift(join(extensionPath, 'program/bin/cinnabar'));
  return { name, found: candidates.find(isExecutable), args: settings().get('arguments', ['lsp']) };
}

// Only what somebody has set: a default sent along would override the daemon's own command line.
function valueSet(key) {
  const found = settings().inspect(key);
  return found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
}

/** The answer to the server's workspace/configuration. */
export function forServer(packageJson, isOff) {
  const answer = { languages: settings().get('enable', {}), trusted: vscode.workspace.isTrusted };
  const groups = packageJson.contributes.configuration;
  for (const name of groups.flatMap((group) => Object.keys(group.properties))) {
    const key = name.slice('cinnabar.'.length);
    const value = OWN.has(key) ? undefined : valueSet(key);
    if (value !== undefined && value !== null && value !== '') answer[key] = value;
  }
  if (isOff) answer.enabled = false;
  return answer;
}

/** Shows the setting of the program; its scope is the machine, which in a remote window has a place of its own. */
export function openPathSetting() {
  const where = vscode.env.remoteName ? 'openRemoteSettings' : 'openSettings';
  return vscode.commands.executeCommand(`workbench.action.${where}`, { query: 'cinnabar.path' });
}
