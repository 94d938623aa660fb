// VS Code's server with the extension installed, and its window in a browser.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CODE_SERVER = join(dirname(fileURLToPath(import.meta.url)), 'node_modules/code-server/out/node/entry.js');
export const PATIENCE = 900_000;  // ms; what does not get on is ended sooner, by tests/support/progress.py
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what, condition, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${patience} ms: ${what}`);
    await pause(200);
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
  });
}

const USER_SETTINGS = {
  'security.workspace.trust.enabled': false, 'workbench.startupEditor': 'none', 'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false, 'extensions.autoCheckUpdates': false, 'update.mode': 'none', 'chat.disableAIFeatures': true,
  'editor.inlineSuggest.enabled': true, 'editor.wordBasedSuggestions': 'off', 'files.autoSave': 'off',
  'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
};

export class Workbench {
  static async start(vsix, settings) {
    const workbench = new Workbench();
    workbench.scratch = mkdtempSync(join(tmpdir(), 'cinnabar-vscode-'));
    try {
      workbench.write('User', USER_SETTINGS);
      workbench.set(settings);
      await workbench.launch(vsix);
    } catch (error) {
      await workbench.stop();
      throw error;
    }
    return workbench;
  }

  // Machine settings are where a server takes those of machine scope from, such as cinnabar.path.
  set(settings) {
    this.write('Machine', settings);
  }

  write(place, settings) {
    mkdirSync(join(this.scratch, 'data', place), { recursive: true });
    writeFileSync(join(this.scratch, 'data', place, 'settings.json'), JSON.stringify(settings));
  }

  async launch(vsix) {
    const folders = ['--user-data-dir', join(this.scratch, 'data'), '--extensions-dir', join(this.scratch, 'extensions')];
    const env = { ...process.env, HOME: this.scratch };
    execFileSync(process.execPath, [CODE_SERVER, ...folders, '--install-extension', vsix], { env, stdio: 'inherit' });
    this.port = await freePort();
    this.server = spawn(process.execPath, [CODE_SERVER, '--auth', 'none', '--bind-addr', `127.0.0.1:${this.port}`,
      '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', ...folders],
    { env, stdio: ['ignore', 'ignore', 'inherit'] });
    await until('VS Code listens', () => fetch(`http://127.0.0.1:${this.port}/healthz`).then((answer) => answer.ok, () => false));
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'] });
    this.page = await this.browser.newPage();
  }

  async open(file) {
    const payload = encodeURIComponent(JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${this.port}${file}`]]));
    await this.page.goto(`http://127.0.0.1:${this.port}/?folder=${dirname(file)}&payload=${payload}`);
    await this.page.waitForSelector('.monaco-editor .view-line', { timeout: PATIENCE });
  }

  async status(word) {
    await until(`the status bar says ${word}`, () => this.page.$(`.statusbar-item [aria-label^="Cinnabar: ${word}"]`));
  }

  // LINE, or LINE:COLUMN; then these keys.
  async goTo(line, keys = ['End']) {
    await this.page.click('.monaco-editor .view-lines');
    await this.page.keyboard.press('Control+g');
    await this.page.keyboard.type(`${line}\n`);
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async command(title) {
    await this.page.keyboard.press('F1');
    await this.page.waitForSelector('.quick-input-widget input');
    await this.page.keyboard.type(title);
    await this.page.waitForSelector(`.quick-input-list .monaco-list-row.focused[aria-label^="${title}"]`, { timeout: PATIENCE });
    await this.page.keyboard.press('Enter');
    await this.page.waitForSelector('.quick-input-widget', { state: 'hidden' });
  }

  async ghostText() {
    return (await this.page.$$eval('[class*="ghost-text"]', (parts) => parts.map((part) => part.textContent).join(''))).trim();
  }

  // For the README, where the environment names a folder for them.
  async picture(name) {
    if (!process.env.CINNABAR_PICTURES) return;
    const editor = await this.page.$('.editor-container');
    await editor.screenshot({ path: join(process.env.CINNABAR_PICTURES, `${name}.png`) });
  }

  async stop() {
    await this.browser?.close();
    this.server?.kill();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
