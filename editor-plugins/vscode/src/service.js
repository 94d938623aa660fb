// The language server's life: started, restarted when it ends or the program is another, off while the user wants that.
import * as vscode from 'vscode';
import { makeClient } from './client.js';
import { wantsPreview } from './preview.js';
import { forServer, isEnabled, isServed, openPathSetting, program } from './settings.js';

const MOST_ENDS = 3, WITHIN = 3 * 60_000;  // ms; a server that ends more often than that is not started again

export class Service {
  constructor({ packageJSON, extensionPath }, status, log, preview) {
    this.packageJson = packageJSON;
    this.extensionPath = extensionPath;
    this.status = status;
    this.log = log;
    this.preview = preview;
    this.isOff = false;
    this.ends = [];
    this.turn = Promise.resolve();
  }

  /** The client, while there is a server to talk to. */
  get running() {
    return this.client?.isRunning() ? this.client : undefined;
  }

  // One after the other: a client cannot be stopped while it starts.
  start() { return this.queue(() => this.startNow()); }
  stop() { this.giveUpStarting(); return this.queue(() => this.stopNow()); }
  restart() { this.giveUpStarting(); return this.queue(async () => { await this.stopNow(); await this.startNow(); }); }

  queue(step) {
    this.turn = this.turn.then(step).catch((error) => this.log.error(String(error)));
    return this.turn;
  }

  // A program that is no language server may never answer; without it the start fails.
  giveUpStarting() {
    if (this.client && !this.client.isRunning()) this.client.serverProcess?.kill();
  }

  async startNow() {
    const { name, found, args } = program(this.extensionPath);
    this.serverStatus = undefined;
    this.status.show('starting', '');
    if (!found) return this.fail(`the program "${name}" was not found. The setting cinnabar.path says where it is.`);
    this.log.info(`starting ${[found, ...args].join(' ')}`);
    const client = this.client = makeClient({
      command: found, args, log: this.log, middleware: this.middleware(), ended: () => this.ended(client),
    });
    client.onNotification('didChangeStatus', (status) => this.take(status));
    try {
      await client.start();
    } catch (error) {
      client.serverProcess?.kill();
      return this.fail(`${found} does not answer as a language server (${error.message}).`);
    }
    this.focus(vscode.window.activeTextEditor);
    this.show();
  }

  async stopNow() {
    const client = this.client;
    this.client = undefined;
    clearTimeout(this.timer);
    if (client?.isRunning()) await client.stop();
  }

  ended(client) {
    if (this.client !== client) return;
    this.client = undefined;
    this.ends = [...this.ends.filter((time) => time > Date.now() - WITHIN), Date.now()];
    if (this.ends.length > MOST_ENDS) this.fail(`the language server has ended ${this.ends.length} times in three minutes.`);
    else this.start();
  }

  middleware() {
    return {
      provideInlineCompletionItems: (document, position, context, token, next) =>
        this.isOff || !isEnabled(document.languageId) ? [] : next(document, position, context, token),
      // An action's edit is VS Code's to apply, and to show in its own way; a command is ours.
      resolveCodeAction: async (item, token, next) => {
        const action = await next(item, token);
        if (!item.data?.confirm || !action?.edit) return action;
        action.command = { title: item.title, command: 'cinnabar.showPreview', arguments: [item.title, action.edit] };
        action.edit = undefined;
        return action;
      },
      workspace: {
        handleApplyEdit: (params, next) => wantsPreview(params.edit) ? this.confirm(params) : next(params),
        configuration: (params, token, next) => params.items.every((item) => item.section === 'cinnabar')
          ? params.items.map(() => forServer(this.packageJson, this.isOff)) : next(params, token),
      },
    };
  }

  // Answered at once: the server has no part in what the user decides, and sees the change when it comes.
  async confirm({ label, edit }) {
    const made = await this.client?.protocol2CodeConverter.asWorkspaceEdit(edit);
    if (made) await this.preview.show(label ?? 'Preview', made);
    return { applied: false, failureReason: 'it is shown to the user first' };
  }

  take(status) {
    this.serverStatus = status;
    this.show();
  }

  show() {
    vscode.commands.executeCommand('setContext', 'cinnabar.isRunning', Boolean(this.running));
    vscode.commands.executeCommand('setContext', 'cinnabar.isOff', this.isOff);
    if (this.isOff) this.status.show('off', this.wakes ? `off until ${this.wakes.toLocaleTimeString()}` : 'off for this window');
    else if (!this.running) return;  // what starts or fails says so itself
    // A server whose model is not loaded yet says nothing; it loads with the first request.
    else this.status.showServer(this.serverStatus ?? { busy: false, kind: 'Normal', message: '' });
  }

  toggle() { this.switchTo(!this.isOff); }

  /** Off for some minutes. */
  snooze(minutes) {
    this.switchTo(true, new Date(Date.now() + minutes * 60_000));
    this.timer = setTimeout(() => this.switchTo(false), minutes * 60_000);
  }

  switchTo(isOff, wakes) {
    clearTimeout(this.timer);
    this.wakes = wakes;
    this.isOff = isOff;
    this.settingsChanged();
    if (this.isOff || this.running) this.show();
    else this.restart();
  }

  /** Makes the server ask for the settings again. */
  settingsChanged() {
    this.running?.sendNotification('workspace/didChangeConfiguration', { settings: null });
  }

  // The server's status is about the document in front.
  focus(editor) {
    const client = this.running;
    if (!client) return;
    client.sendNotification('textDocument/didFocus',
      editor && isServed(editor.document) ? { textDocument: { uri: client.code2ProtocolConverter.asUri(editor.document.uri) } } : {});
  }

  // Does not wait for the user's answer: VS Code goes on.
  fail(why) {
    this.client = undefined;
    vscode.commands.executeCommand('setContext', 'cinnabar.isRunning', false);
    this.log.error(why);
    this.status.show('error', why);
    const setting = 'Open Setting', log = 'Show Log';
    vscode.window.showErrorMessage(`Cinnabar: ${why}`, setting, log).then((choice) => {
      if (choice === setting) openPathSetting();
      if (choice === log) this.log.show();
    });
  }
}
