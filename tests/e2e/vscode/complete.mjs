// VS Code with the smallest extension completes a function in a real file: keys, ghost text, Tab, Ctrl+S.
//
//   node complete.mjs FILE LINE KEYS -- COMMAND...    LINE counts from 1; the keys are typed at its end
//
// Run with the Node that code-server wants. Checked: the ghost text that VS Code draws is in the file afterwards.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const HERE = dirname(fileURLToPath(import.meta.url));
const PATIENCE = 180_000;  // ms; a cold model and an editor on a busy machine
const cut = process.argv.indexOf('--');
const [file, line, keys] = process.argv.slice(2, cut);
const command = process.argv.slice(cut + 1);
const scratch = mkdtempSync(join(tmpdir(), 'cinnabar-vscode-'));
const ready = join(scratch, 'ready');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, condition) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${PATIENCE} ms: ${what}`);
    await pause(200);
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)); });
  });
}

function startServer(port) {
  mkdirSync(join(scratch, 'data/User'), { recursive: true });
  cpSync(join(HERE, 'extension'), join(scratch, 'extensions/cinnabar.cinnabar-smallest-0.0.1'), { recursive: true });
  writeFileSync(join(scratch, 'data/User/settings.json'), JSON.stringify({
    'security.workspace.trust.enabled': false, 'workbench.startupEditor': 'none', 'telemetry.telemetryLevel': 'off',
    'extensions.autoUpdate': false, 'extensions.autoCheckUpdates': false, 'update.mode': 'none', 'chat.disableAIFeatures': true,
    'editor.inlineSuggest.enabled': true, 'editor.wordBasedSuggestions': 'off', 'files.autoSave': 'off',
    'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  }));
  return spawn(process.execPath, [join(HERE, 'node_modules/code-server/out/node/entry.js'), '--auth', 'none',
    '--bind-addr', `127.0.0.1:${port}`, '--disable-telemetry', '--disable-update-check', '--disable-workspace-trust',
    '--user-data-dir', join(scratch, 'data'), '--extensions-dir', join(scratch, 'extensions')],
  { env: { ...process.env, HOME: scratch, CINNABAR: command.join(' '), CINNABAR_READY: ready }, stdio: ['ignore', 'ignore', 'inherit'] });
}

async function open(page, port) {
  const payload = encodeURIComponent(JSON.stringify([['openFile', `vscode-remote://127.0.0.1:${port}${file}`]]));
  await page.goto(`http://127.0.0.1:${port}/?folder=${dirname(file)}&payload=${payload}`);
  await page.waitForSelector('.monaco-editor .view-line', { timeout: PATIENCE });
  await until('the extension answers', () => existsSync(ready));
  await page.click('.monaco-editor .view-lines');
}

const ghostText = (page) => page.$$eval('[class*="ghost-text"]', (parts) => parts.map((part) => part.textContent).join(''));

async function complete(page) {
  await page.keyboard.press('Control+g');
  await page.keyboard.type(`${line}\n`);
  await page.keyboard.press('End');
  await page.keyboard.type(keys, { delay: 60 });
  let asked = Date.now();
  const ghost = await until('ghost text', async () => {
    const text = (await ghostText(page)).trim();
    // The model may still have been on its way: asks again, but not so soon that it gives up on an answer.
    if (!text && Date.now() > asked + 10_000) {
      await page.keyboard.press('Backspace');
      await page.keyboard.type(keys.at(-1));
      asked = Date.now();
    }
    return text;
  });
  console.log(`shown behind ${JSON.stringify(keys)}: ${JSON.stringify(ghost)}`);
  const before = readFileSync(file, 'utf8');
  await page.keyboard.press('Tab');
  await pause(500);
  await page.keyboard.press('Control+s');
  await until('the file is written', () => readFileSync(file, 'utf8') !== before);
  const plain = (text) => text.replace(/\s/g, '');  // the browser draws spaces as others
  if (!plain(readFileSync(file, 'utf8')).includes(plain(keys + ghost))) throw new Error('the file does not hold the text shown');
}

const port = await freePort();
const server = startServer(port);
let browser;
try {
  await until('VS Code listens', () => fetch(`http://127.0.0.1:${port}/healthz`).then((answer) => answer.ok, () => false));
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'] });
  const page = await browser.newPage();
  await open(page, port);
  await complete(page);
} finally {
  await browser?.close();
  server.kill();
  rmSync(scratch, { recursive: true, force: true });
}
