// Every command, key and menu entry once, with a server whose answers are known (scripted_server.py): what is shown, what the
// server is told, and what is on disk.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pause, pressUntil, until } from './workbench.mjs';

const WORDS = ['total += price * count', 'total = 0', 'total -= 1'];
const LINES = ['for item in items:\n    use(item)\n    drop(item)'];
const EDITS = { 'use(old, 2)': 'use(new, 2)', 'last(old, 3)': 'last(new, 3)' };
const shownOf = (text, typed) => text.slice(typed.length).replace(/\s/g, '');

export class Keys {
  constructor(workbench, folder) {
    this.workbench = workbench;
    this.keyboard = workbench.page.keyboard;
    this.file = join(folder, 'keys.py');
    this.script = join(folder, 'script.json');
    this.log = join(folder, 'log.jsonl');
    writeFileSync(this.script, JSON.stringify({ lines: [WORDS, LINES], edits: EDITS }));
    writeFileSync(this.file, '');
  }

  get settings() {
    return { 'cinnabar.path': '/usr/bin/python3', 'cinnabar.arguments': [join(import.meta.dirname, 'scripted_server.py'), this.script, this.log] };
  }

  async start() {
    this.workbench.set(this.settings);
    await this.workbench.open(this.file);
    await this.workbench.status('ready');
  }

  /** What the server was told by one method. */
  told(method) {
    const lines = existsSync(this.log) ? readFileSync(this.log, 'utf8').split('\n') : [];
    return lines.slice(0, -1).map((line) => JSON.parse(line)).filter((message) => message.method === method).map((message) => message.params);
  }

  commands() { return this.told('workspace/executeCommand').map(({ command }) => command); }

  async empty() {
    const { page } = this.workbench;
    await pressUntil(async () => {
      await page.click('.monaco-editor .view-lines');
      for (const key of ['Escape', 'Control+a', 'Delete']) await this.keyboard.press(key);
    }, 'the file is empty', async () => !(await page.textContent('.monaco-editor .view-lines')).trim());
    await this.ghost('');
  }

  async type(text) { await this.keyboard.type(text, { delay: 60 }); }

  async ghost(expected, press = () => {}) {
    let found;
    const isShown = async () => (found = (await this.workbench.ghostText()).replace(/\s/g, '')) === expected;
    await pressUntil(press, `the ghost text ${JSON.stringify(expected)}`, isShown, () => `shown is ${JSON.stringify(found)}`);
  }

  async onDisk(expected) { await this.workbench.saveAs(this.file, expected); }

  /** Whether typing makes a request. */
  async expectAsked(expected, when) {
    await this.empty();
    const asked = () => this.told('textDocument/inlineCompletion').length;
    const before = asked();
    await this.type('tot');
    if (expected) await until(`${when}: typing makes a request`, () => asked() > before);
    else await pause(1500);
    if (!expected && asked() !== before) throw new Error(`${when}: typing should not make a request`);
    await this.empty();
  }

  /** Looks into the menu until it has such an entry. */
  async menuOffers(label) {
    await until(`the menu offers ${label}`, async () => {
      await this.workbench.command('Cinnabar: Menu');
      await this.workbench.shown('.quick-input-list .monaco-list-row:has-text("Snooze")');
      const found = await this.workbench.page.$(`.quick-input-list .monaco-list-row:has-text("${label}")`);
      await pressUntil(() => this.keyboard.press('Escape'), 'the menu is gone', async () => !(await this.workbench.page.isVisible('.quick-input-widget')));
      return found;
    });
  }
}

export const STEPS = {
  async accept(at) {
    await at.empty();
    await at.type('tot');
    await at.ghost(shownOf(WORDS[0], 'tot'));
    await at.keyboard.press('Tab');
    await at.onDisk(WORDS[0]);
    await until('the server is told', () => at.commands().includes('cinnabar.accepted'));
  },

  async acceptWords(at) {
    await at.empty();
    await at.type('tot');
    await at.ghost(shownOf(WORDS[0], 'tot'));
    await at.keyboard.press('Control+ArrowRight');
    await at.ghost(shownOf(WORDS[0], 'total'));
    await at.onDisk('total');
    await at.keyboard.press('Control+ArrowRight');
    await at.onDisk('total ');  // what VS Code takes for a word
    await at.keyboard.press('Tab');
    await at.onDisk(WORDS[0]);
  },

  async acceptLines(at) {
    await at.empty();
    await at.type('for');
    await at.ghost(shownOf(LINES[0], 'for'));
    await at.workbench.press('alt+l', 'editor.action.inlineSuggest.acceptNextLine');
    await at.onDisk('for item in items:\n');
  },

  async cycle(at) {
    await at.empty();
    await at.type('tot');
    await at.ghost(shownOf(WORDS[0], 'tot'));
    for (const [key, text] of [['Alt+]', WORDS[1]], ['Alt+]', WORDS[2]], ['Alt+[', WORDS[1]]]) {
      await at.ghost(shownOf(text, 'tot'), () => at.keyboard.press(key));
    }
    await at.keyboard.press('Tab');
    await at.onDisk(WORDS[1]);
  },

  async trigger(at) {
    await at.empty();
    await at.type('tot');
    for (const ask of [() => at.workbench.press('alt+\\', 'cinnabar.trigger'), () => at.workbench.command('Cinnabar: Ask for a Completion')]) {
      await at.ghost(shownOf(WORDS[0], 'tot'));
      await at.ghost('', () => at.keyboard.press('Escape'));
      await at.ghost(shownOf(WORDS[0], 'tot'), ask);
    }
    const kinds = at.told('textDocument/inlineCompletion').map(({ context }) => context.triggerKind);
    if (!kinds.includes(1)) throw new Error('no request says that the user asked');
  },

  async functionsAndHoles(at) {
    const { workbench } = at;
    const ways = [
      ['cinnabar.completeFunction', () => workbench.command('Cinnabar: Complete Function')],
      ['cinnabar.completeFunction', () => workbench.press('ctrl+alt+enter', 'cinnabar.completeFunctionAtCursor')],
      ['cinnabar.completeFunction', () => workbench.contextMenu('cinnabar.completeFunctionAtCursor', 'Complete Function')],
      ['cinnabar.fillHoles', () => workbench.command('Cinnabar: Fill All Holes')],
      ['cinnabar.fillHoles', () => workbench.contextMenu('cinnabar.fillAllHoles', 'Fill All Holes')],
    ];
    await at.empty();
    await at.type('x = 1');
    for (const [command, ask] of ways) {
      const told = () => at.commands().filter((name) => name === command).length;
      const before = told();
      await pressUntil(ask, `${command} reaches the server`, () => told() > before);
    }
  },

  async rewrite(at) {
    const { workbench } = at;
    const ways = [
      [false, () => workbench.command('Cinnabar: Rewrite Selected Lines...')],
      [false, () => workbench.press('ctrl+alt+r', 'cinnabar.rewriteSelection')],
      [false, () => workbench.contextMenu('cinnabar.rewriteSelection', 'Rewrite Selected Lines...')],
      [true, () => workbench.command('Cinnabar: Preview a Rewrite of Selected Lines...')],
    ];
    await at.empty();
    await at.type('x = 1');
    await at.keyboard.press('Control+a');
    const told = () => at.told('workspace/executeCommand').filter(({ command }) => command === 'cinnabar.rewrite');
    for (const [index, [confirm, ask]] of ways.entries()) {
      await pressUntil(ask, 'an instruction is asked for', () => workbench.page.$('.quick-input-widget input[placeholder^="use a set"]:focus'));
      await at.type('do it\n');
      await until('the server is told', () => told().length === index + 1);
      const [{ instruction, range, confirm: asked }] = told().at(-1).arguments;
      const found = JSON.stringify([instruction, range.end.character, asked]);
      if (found !== JSON.stringify(['do it', 5, confirm])) throw new Error(`the server is told ${found}`);
    }
  },

  async nextEdits(at) {
    const { workbench } = at;
    const shown = (text) => until(`the next edit ${text}`, async () => await workbench.nextEdit() === text);
    await at.empty();
    await at.type('new = 1');
    await shown(undefined);
    await workbench.pressInVain('alt+n', 'cinnabar.hasNextEdit');
    await at.type('\nuse(old, 2)\nlast(old, 3)');
    await shown('use(new, 2)');
    const next = () => workbench.press('alt+n', 'cinnabar.nextEdit');
    await pressUntil(next, 'the cursor is in line 2', () => workbench.page.$('.statusbar-item [aria-label^="Ln 2,"]'));
    await pressUntil(next, 'the next edit', async () => await workbench.nextEdit() === 'last(new, 3)');
    await at.onDisk('new = 1\nuse(new, 2)\nlast(old, 3)');
    for (const line of [3, 3]) {
      await workbench.command('Cinnabar: Go to Next Edit, then Accept It');
      await workbench.shown(`.statusbar-item [aria-label^="Ln ${line},"]`);
    }
    await at.onDisk('new = 1\nuse(new, 2)\nlast(new, 3)');
    await at.keyboard.press('Control+z');
    await shown('last(new, 3)');
    await at.onDisk('new = 1\nuse(new, 2)\nlast(old, 3)');
    await pressUntil(() => workbench.press('alt+shift+n', 'cinnabar.rejectNextEdit'), 'no next edit', async () => await workbench.nextEdit() === undefined);
    await at.keyboard.press('Control+z');
    await shown('use(new, 2)');
    await workbench.command('Cinnabar: Reject Next Edit');
    await shown(undefined);
    const asked = () => at.told('textDocument/copilotInlineEdit').length;
    const before = asked();
    await at.type(' ');
    await until('asked again', () => asked() > before);
    await pause(500);
    await shown(undefined);
    if (!at.told('textDocument/didShowInlineEdit').length) throw new Error('the server is not told what is shown');
  },

  async toggle(at) {
    await at.workbench.command('Cinnabar: Toggle');
    await at.workbench.status('off');
    await at.expectAsked(false, 'switched off');
    const before = at.told('textDocument/inlineCompletion').length;
    await at.type('tot');
    await at.workbench.pressInVain('alt+\\', 'cinnabar.isOff');
    await pause(1000);
    if (at.told('textDocument/inlineCompletion').length !== before) throw new Error('a key asks while switched off');
    await at.workbench.command('Cinnabar: Toggle');
    await at.workbench.status('ready');
    await at.expectAsked(true, 'switched on');
  },

  async toggleLanguage(at) {
    await at.workbench.command('Cinnabar: Turn On or Off for This Language');
    const written = () => JSON.parse(readFileSync(at.workbench.settingsFile('User'), 'utf8'))['cinnabar.enable']?.python;
    await until('the setting is written', () => written() === false);
    await at.menuOffers('Turn on for python');  // the extension has read it
    await at.expectAsked(false, 'python is off');
    await at.workbench.command('Cinnabar: Turn On or Off for This Language');
    await until('the setting is written', () => written() === true);
    await at.menuOffers('Turn off for python');
    await at.expectAsked(true, 'python is on');
  },

  async snooze(at) {
    await at.workbench.command('Cinnabar: Snooze');
    await at.workbench.pick('5 minutes');
    await at.workbench.status('off; off until');
    await at.expectAsked(false, 'snoozed');
    await at.workbench.clickStatus();  // opens the menu
    await at.workbench.pick('Turn on');
    await at.workbench.status('ready');
    await at.expectAsked(true, 'awake');
  },

  async menu(at) {
    await at.workbench.command('Cinnabar: Menu');
    await at.workbench.pick('Turn off for this window');
    await at.workbench.status('off');
    await at.workbench.command('Cinnabar: Menu');
    await at.workbench.pick('Turn on');
    await at.workbench.status('ready');
  },

  async restart(at) {
    const before = at.told('initialize').length;
    await at.workbench.command('Cinnabar: Restart');
    await until('another server is initialized', () => at.told('initialize').length === before + 1);
    await at.workbench.status('ready');
    await at.expectAsked(true, 'started anew');
  },

  async showLog(at) {
    await at.workbench.command('Cinnabar: Show Log');
    // Its text is written by a native module, which this VS Code is installed without.
    const channel = () => at.workbench.page.$eval('.part.panel select', (box) => box.options[box.selectedIndex].text).catch(() => '');
    await until('the output of Cinnabar is shown', async () => await channel() === 'Cinnabar');
    await at.workbench.command('View: Toggle Panel Visibility');
  },

  async walkthrough(at) {
    await at.workbench.command('Cinnabar: Get Started');
    await at.workbench.shown('.getting-started:has-text("Get started with Cinnabar")');
    await at.keyboard.press('Escape');
    await at.workbench.open(at.file);
    await at.workbench.status('ready');
  },
};
