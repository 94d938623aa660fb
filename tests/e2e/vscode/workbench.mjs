// VS Code's server with the extension installed, and its window in a browser.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const CODE_SERVER = join(dirname(fileURLToPath(import.meta.url)), 'node_modules/code-server/out/node/entry.js');
const LOOKS = 200;  // at what is awaited, 0.2 s apart, of which none was in vain because the daemon was at work
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let program;
/** The program whose daemon's work is waited for, however long it takes beside other work. */
export const waitsFor = (path) => { program = path; };

function isAtWork() {
  if (!program) return false;
  try {
    const { model, queue } = JSON.parse(execFileSync(program, ['status', '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return model.state === 'loading' || queue.running + queue.waiting > 0;
  } catch {
    return false;  // no daemon
  }
}

export async function until(what, condition, otherwise = () => '') {
  for (let looks = 0; ; ++looks) {
    const found = await condition();
    if (found) return found;
    if (looks >= LOOKS && !isAtWork()) throw new Error(`looked ${looks} times in vain: ${what} ${otherwise()}`);
    await pause(200);
  }
}

/** Presses, and presses again now and then until it has worked: a key may get lost while the editor settles. */
export async function pressUntil(press, what, condition, otherwise) {
  await press();
  let looks = 0;
  return until(what, async () => {
    const found = await condition();
    if (!found && ++looks % 15 === 0) await press();
    return found;
  }, otherwise);
}

// Whether a process of a group is alive; one that ended and was not waited for does not count.
function runs(group) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).some((pid) => {
    try {
      const [state, , of] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      return Number(of) === group && state !== 'Z';
    } catch {
      return false;  // it has ended meanwhile
    }
  });
}

async function endGroup(group) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    if (!runs(group)) return;
    process.kill(-group, signal);
    for (let looks = 0; looks < 50 && runs(group); ++looks) await pause(200);
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

// A key as package.json writes it, as the browser's driver does: ctrl+alt+enter is Control+Alt+Enter.
const DRIVER_KEYS = { ctrl: 'Control', '\\': 'Backslash', ']': 'BracketRight', '[': 'BracketLeft' };
const driverKey = (key) => key.split('+').map((part) =>
  DRIVER_KEYS[part] ?? (part.length > 1 ? part[0].toUpperCase() + part.slice(1) : part)).join('+');

export class Workbench {
  used = new Set();  // commands, keys and menu entries, as coverage.mjs names them

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
    writeFileSync(this.settingsFile(place), JSON.stringify(settings));
  }

  settingsFile(place) { return join(this.scratch, 'data', place, 'settings.json'); }

  /** What the installed extension's package.json contributes. */
  get contributes() {
    const extensions = join(this.scratch, 'extensions');
    const folder = readdirSync(extensions).find((name) => name.startsWith('cinnabar.cinnabar-'));
    return JSON.parse(readFileSync(join(extensions, folder, 'package.json'), 'utf8')).contributes;
  }

  async launch(vsix) {
    const folders = ['--user-data-dir', join(this.scratch, 'data'), '--extensions-dir', join(this.scratch, 'extensions')];
    const env = { ...process.env, HOME: this.scratch };
    execFileSync(process.execPath, [CODE_SERVER, ...folders, '--install-extension', vsix], { env, stdio: 'inherit' });
    this.port = await freePort();
    this.server = spawn(process.execPath, [CODE_SERVER, '--auth', 'none', '--bind-addr', `127.0.0.1:${this.port}`,
      '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust', ...folders],
    { env, stdio: ['ignore', 'ignore', 'inherit'], detached: true });  // a group of its own, see stop()
    await until('VS Code listens', () => fetch(`http://127.0.0.1:${this.port}/healthz`).then((answer) => answer.ok, () => false));
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'] });
    this.page = await this.browser.newPage();
    this.page.setDefaultTimeout(300_000);
  }

  async open(file) {
    const payload = encodeURIComponent(JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${this.port}${file}`]]));
    await this.page.goto(`http://127.0.0.1:${this.port}/?folder=${dirname(file)}&payload=${payload}`);
    await this.shown('.monaco-editor .view-line');
  }

  /** What a selector finds, once it is visible. */
  async shown(selector) {
    return until(selector, async () => {
      const found = await this.page.$(selector);
      return found && await found.isVisible() ? found : undefined;
    });
  }

  async status(word) {
    await until(`the status bar says ${word}`, () => this.page.$(`.statusbar-item [aria-label^="Cinnabar: ${word}"]`));
  }

  // LINE, or LINE:COLUMN; then these keys.
  async goTo(line, keys = ['End']) {
    const { page } = this;
    const place = `Ln ${String(line).replace(':', ', Col ')}`;
    await pressUntil(async () => {
      await page.click('.monaco-editor .view-lines');
      await pressUntil(() => page.keyboard.press('Control+g'), 'the box for a line', () => page.$('.quick-input-widget input:focus'));
      await page.keyboard.type(`${line}\n`);
    }, `the cursor is in ${place}`, async () => await page.$('.monaco-editor.focused') && page.$(`.statusbar-item [aria-label^="${place}"]`));
    for (const key of keys) await page.keyboard.press(key, { delay: 20 });
  }

  /** Selects `count` characters by keys from LINE:COLUMN on. */
  async select(place, keys, count) {
    await pressUntil(() => this.goTo(place, keys), `${count} characters are selected`,
      () => this.page.$(`.statusbar-item [aria-label*="(${count} selected)"]`));
  }

  async command(title) {
    if (title.startsWith('Cinnabar: ')) this.used.add(`command ${title}`);
    // A view that comes up at that moment takes the focus and the palette with it: then once more.
    let looks = 0;
    await until('the palette', async () => {
      if (await this.page.$('.quick-input-widget input:focus')) return true;  // keys before that go elsewhere
      if (looks++ % 25 === 0) await this.page.keyboard.press('F1');
      return false;
    });
    await this.page.keyboard.type(title);
    const row = `.quick-input-list .monaco-list-row[aria-label^="${title}"]`;
    await this.shown(row);
    if (await this.page.$(row.replace('.monaco-list-row', '.monaco-list-row.focused'))) await this.page.keyboard.press('Enter');
    else await this.page.click(row);
    await until('the palette is gone', async () => await this.hasPicker() || !(await this.page.isVisible('.quick-input-widget')));
  }

  // A command may ask something in the palette's place.
  async hasPicker() {
    return (await this.page.$$('.quick-input-widget:visible .monaco-list-row:not([aria-label^="Cinnabar:"])')).length > 0;
  }

  /** Chooses in a list that a command shows. */
  async pick(label) {
    await (await this.shown(`.quick-input-list .monaco-list-row:has-text("${label}")`)).click();
    await until('the list is gone', async () => !(await this.page.isVisible('.quick-input-widget')));
  }

  /** A key of package.json's, with the command that it is for. */
  async press(key, command) {
    this.used.add(`key ${key} ${command}`);
    await this.page.keyboard.press(driverKey(key));
  }

  /** A key that has to do nothing, because a context key is not set. */
  async pressInVain(key, contextKey) {
    this.used.add(`without ${contextKey}`);
    await this.page.keyboard.press(driverKey(key));
  }

  /** An entry of the editor's context menu. */
  async contextMenu(command, label) {
    this.used.add(`menu editor/context ${command}`);
    await this.page.click('.monaco-editor .view-line', { button: 'right' });
    const item = await this.shown(`.monaco-menu .action-item:has-text("${label}")`);
    // A menu takes no click in its first moments: then once more.
    await until('the menu is gone', async () => {
      if (!(await this.page.isVisible('.monaco-menu'))) return true;
      await item.click({ timeout: 1000 }).catch(() => {});
      return false;
    });
  }

  /** A button above the text. */
  async clickTitle(command, label) {
    this.used.add(`menu editor/title ${command}`);
    const button = `.editor-actions a.action-label[aria-label*="${label}"]`;
    await this.shown(button);
    await this.page.click(button);  // it is drawn anew while the editor settles
  }

  async clickStatus() {
    await this.page.click('.statusbar-item [aria-label^="Cinnabar: "]');
  }

  /** Saves the file in front, which has to be another by then; what is on disk. */
  async save(path) {
    const before = readFileSync(path, 'utf8');
    await this.saveUntil(path, (text) => text !== before);
    return readFileSync(path, 'utf8');
  }

  /** Saves the file in front until this is on disk: an edit may reach the editor after the first key that saves. */
  async saveAs(path, expected) {
    await this.saveUntil(path, (text) => text === expected, () => `on disk is ${JSON.stringify(readFileSync(path, 'utf8'))}`);
  }

  async saveUntil(path, isIt, otherwise) {
    await pause(500);  // for what should not come
    // It is empty for a moment while it is written.
    await pressUntil(() => this.page.keyboard.press('Control+s'), `${path} is written`,
      async () => isIt(readFileSync(path, 'utf8')) && !(await this.page.$('.tab.active.dirty')), otherwise);
  }

  // Pieces of the first line, and one for each other; the page holds them in another order.
  async ghostText() {
    return this.page.$$eval('[class*="ghost-text"]', (parts) => parts
      .filter((part) => !part.parentElement.closest('[class*="ghost-text"]'))
      .map((part) => ({ text: part.textContent, place: part.getBoundingClientRect() }))
      .sort((a, b) => a.place.top - b.place.top || a.place.left - b.place.left)
      .map(({ text }) => text).join('').trim());
  }

  /** Types keys until an answer is drawn behind them, and stays: its text. Until then it may be the answer to an earlier key. */
  async typeUntilShown(keys) {
    const { keyboard } = this.page;
    await keyboard.type(keys, { delay: 60 });
    let looks = 0, last, same = 0;
    return until(`ghost text behind ${keys}`, async () => {
      const text = await this.ghostText();
      // The model may still have been on its way: asks again, but not so soon that it gives up on an answer.
      if (!text && ++looks % 50 === 0) {
        await keyboard.press('Backspace');
        await keyboard.type(keys.at(-1));
      }
      same = text === last ? same + 1 : 0;
      last = text;
      return text && same >= 5 && !isAtWork() && text;
    });
  }

  /** What the extension, or its server, has told the user since this was asked last. */
  async messages() {
    await this.command('Notifications: Show Notifications');
    await this.shown('.notifications-center');
    const found = await this.page.$$eval('.notifications-center .notification-list-item', (items) => items
      .filter((item) => /cinnabar/i.test(item.textContent))
      .map((item) => item.querySelector('.notification-list-item-message').textContent));
    await this.command('Notifications: Clear All Notifications');
    await until('all messages are gone', async () => (await this.page.$$('.notification-list-item')).length === 0);
    return found;
  }

  /** The text that a next edit would put somewhere, as the extension draws it behind; undefined: none is shown. */
  async nextEdit() {
    const contents = await this.page.$$eval('.view-lines span[class*="ced-"]', (parts) => parts.map((part) => getComputedStyle(part, '::after').content));
    const drawn = contents.find((content) => content.startsWith('"'));
    return drawn && JSON.parse(drawn).replaceAll('\u00a0', ' ');
  }

  // For the README, where the environment names a folder for them.
  async picture(name, { whole = false, height = 300, of = '.editor-container' } = {}) {
    if (!process.env.CINNABAR_PICTURES) return;
    const path = join(process.env.CINNABAR_PICTURES, `${name}.png`);
    if (whole) return void await this.page.screenshot({ path });
    const box = await (await this.page.$(of)).boundingBox();
    await this.page.screenshot({ path, clip: { ...box, height: Math.min(height, box.height) } });
  }

  // An extension host that outlives its server lets its proxies start another daemon, when the test ends the first.
  async stop() {
    await this.browser?.close();
    if (this.server) await endGroup(this.server.pid);
    rmSync(this.scratch, { recursive: true, force: true });
  }
}
