// Edits with the program and its model: next edits after a name was changed, accepted and rejected; rewrites with a preview, and
// cancelled half way; a problem fixed; a function extracted from a program that passes its test. What is on disk is compared each
// time, and so is what one undo leaves there.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pause, pressUntil, until } from './workbench.mjs';

const STATS = 'def describe(values):\n    größe = 0\n    for value in values:\n        größe += value\n    return größe\n';

const AREA = 'def area(width, height):\n    return width + height\n';
const WISH = 'Fix the bug: the area of a rectangle is width times height.';
const LONG = `def report(values):\n${Array.from({ length: 40 }, (_, i) => `    value_${i} = values[${i}] * ${i} + len(values)\n`).join('')}    return value_1\n`;
const WRONG = '// @ts-check\nexport function area(width, height) {\n  return width * heigth;\n}\n';
const SPREAD = 'def spread(values):\n    low = min(values)\n    high = max(values)\n    return high - low\n\n\nassert spread([3, 9, 4]) == 6\n';

const status = (program) => JSON.parse(execFileSync(program, ['status', '--json'], { encoding: 'utf8' }));

function same(what, found, expected) {
  if (found !== expected) throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`);
}

export class Edits {
  constructor(workbench, program, file) {
    this.workbench = workbench;
    this.keyboard = workbench.page.keyboard;
    this.program = program;
    this.folder = dirname(file);
  }

  async open(name, text) {
    this.file = join(this.folder, name);
    writeFileSync(this.file, text);
    await this.workbench.open(this.file);
    await this.workbench.status('ready');
  }

  async onDisk(expected) { await this.workbench.saveAs(this.file, expected); }

  async rename() {
    await this.workbench.select('2:1', ['Home', 'Control+Shift+ArrowRight'], 'größe'.length);
    await this.keyboard.type('amount', { delay: 60 });
    await this.shown('amount');
  }

  // What is drawn may still be the edit before, which is no more: then the key does nothing, and is pressed once more.
  async goToNext(line) {
    await pressUntil(() => this.workbench.press('alt+n', 'cinnabar.nextEdit'), `the cursor is in line ${line}`,
      () => this.workbench.page.$(`.statusbar-item [aria-label^="Ln ${line},"]`));
  }

  /** Selects whole lines, from the beginning of one to that of another. */
  async selectLines(first, behind, text) {
    const count = text.split('\n').slice(first - 1, behind - 1).join('\n').length + 1;
    await this.workbench.select(`${first}:1`, Array(behind - first).fill('Shift+ArrowDown'), count);
  }

  /** Asks for a rewrite of what is selected. */
  async instruct(command, instruction) {
    const { workbench } = this;
    await pressUntil(() => workbench.command(command), 'an instruction is asked for',
      () => workbench.page.$('.quick-input-widget input[placeholder^="use a set"]:focus'));
    await this.keyboard.type(`${instruction}\n`);
  }

  /** Chooses in one of the editor's menus of code actions. */
  async choose(command, title) {
    await this.workbench.command(command);
    await (await this.workbench.shown(`.action-widget .monaco-list-row[aria-label^="${title}"]`)).click();
  }

  /** One undo, after which the file is again as it was. */
  async undo(before) {
    await this.workbench.page.click('.monaco-editor .view-lines');
    await this.keyboard.press('Control+z');
    await this.onDisk(before);
  }

  async nothingRuns() {
    await until('the model has nothing to do', () => { const { queue } = status(this.program); return queue.running + queue.waiting === 0; });
  }

  /** Where the old name still stands in the text that is drawn. */
  async places() { return (await this.workbench.page.textContent('.monaco-editor .view-lines')).match(/größe/g) ?? []; }

  // The daemon gives up on next edits after 3 s, which a busy machine takes: then they are asked for again.
  async shown(text) {
    let looks = 0;
    await until(`the next edit ${text}`, async () => {
      if (++looks % 50 === 0) for (const key of ['x', 'Backspace']) await this.keyboard.press(key);
      return await this.workbench.nextEdit() === text;
    });
  }
}

export const STEPS = {
  async previewedRewrite(at) {
    const { workbench } = at;
    await at.open('area.py', AREA);
    const ways = [
      [AREA, () => workbench.clickTitle('cinnabar.discardPreview', 'Discard the Change Shown')],
      [AREA, () => workbench.command('Cinnabar: Discard the Change Shown')],
      [AREA.replace('+', '*'), () => workbench.clickTitle('cinnabar.applyPreview', 'Apply the Change Shown')],
      [AREA.replace('+', '*'), () => workbench.command('Cinnabar: Apply the Change Shown')],
    ];
    for (const [index, [expected, decide]] of ways.entries()) {
      await at.selectLines(1, 3, AREA);
      await at.instruct('Cinnabar: Preview a Rewrite of Selected Lines...', WISH);
      const isShown = () => workbench.page.$('.monaco-diff-editor .modified .view-line:has-text("*")');
      await until('the file beside what it would be', isShown);
      if (index === 0) await workbench.picture('rewrite-preview', { height: 190, of: '.editor-group-container' });
      same('on disk meanwhile', readFileSync(at.file, 'utf8'), AREA);
      await decide();
      await until('the preview is gone', async () => !(await workbench.page.$('.monaco-diff-editor')));
      await at.onDisk(expected);
      if (expected !== AREA) await at.undo(AREA);
    }
    await workbench.command('Notifications: Clear All Notifications');
  },

  async cancelledRewrite(at) {
    await at.open('long.py', LONG);
    await at.nothingRuns();
    const before = status(at.program).counts.cancelled;
    await at.selectLines(1, 43, LONG);
    await at.instruct('Cinnabar: Rewrite Selected Lines...', 'Log what this code does with the logging module.');
    await until('the model is at work', () => status(at.program).queue.running > 0);
    await (await at.workbench.shown('.notification-toast .monaco-button:has-text("Cancel")')).click();
    await until('it is cancelled', () => status(at.program).counts.cancelled > before);
    await at.nothingRuns();
    await pause(1000);
    same('the file is unchanged in the editor, too', Boolean(await at.workbench.page.$('.tab.active.dirty')), false);
    await at.workbench.goTo(42);
    await at.keyboard.type('  # after');
    await at.onDisk(LONG.replace(/\n$/, '  # after\n'));
  },

  // VS Code's own checker finds the problem.
  async fixedProblem(at) {
    await at.open('wrong.js', WRONG);
    await at.workbench.shown('.monaco-editor .squiggly-error');
    await at.workbench.goTo('3:18', []);
    await at.choose('Quick Fix...', 'Fix with Cinnabar');
    await at.onDisk(WRONG.replace('heigth', 'height'));
    await at.undo(WRONG);
    await at.workbench.shown('.monaco-editor .squiggly-error');
    await at.workbench.goTo('3:18', []);
    await at.choose('Quick Fix...', 'Fix with Cinnabar (preview)');
    await until('the file beside what it would be', () => at.workbench.page.$('.monaco-diff-editor .modified .view-line:has-text("width * height;")'));
    same('on disk meanwhile', readFileSync(at.file, 'utf8'), WRONG);
    await (await at.workbench.shown('.notification-toast .monaco-button:has-text("Apply")')).click();
    await until('the preview is gone', async () => !(await at.workbench.page.$('.monaco-diff-editor')));
    await at.onDisk(WRONG.replace('heigth', 'height'));
    await at.undo(WRONG);
  },

  async extractedFunction(at) {
    const test = () => execFileSync('python3', [at.file]);
    await at.open('spread.py', SPREAD);
    test();
    await at.selectLines(2, 4, SPREAD);
    await at.choose('Refactor...', 'Extract function');
    const written = await at.workbench.save(at.file);
    const [, name] = written.match(/^def (\w+)\(values\):\n {4}low = min\(values\)\n {4}high = max\(values\)\n {4}return low, high\n/) ?? [];
    if (!name || !written.includes(`    low, high = ${name}(values)\n`)) throw new Error(`not extracted: ${written}`);
    test();
    await at.undo(SPREAD);
  },

  async nextEdits(at) {
    await at.open('stats.py', STATS);
    await at.rename();
    await at.workbench.picture('next-edit', { height: 130 });
    for (const line of [4, 5]) {
      await at.shown('amount');
      await at.goToNext(line);
      await pressUntil(() => at.workbench.press('alt+n', 'cinnabar.nextEdit'), `line ${line} is changed`,
        async () => (await at.places()).length === 5 - line);
    }
    await at.onDisk(STATS.replaceAll('größe', 'amount'));
  },

  async rejectedEdits(at) {
    await at.open('other.py', STATS);
    await at.rename();
    await pressUntil(() => at.workbench.press('alt+shift+n', 'cinnabar.rejectNextEdit'), 'it is gone',
      async () => await at.workbench.nextEdit() === undefined);
    const asked = () => status(at.program).counts.nextEditsAsked;
    const before = asked();
    await at.workbench.goTo(1);
    await at.keyboard.type('  # changed', { delay: 60 });
    await until('it is asked again', () => asked() > before);
    await pause(1500);
    same('a rejected edit', await at.workbench.nextEdit(), undefined);
    await at.onDisk(STATS.replace('größe', 'amount').replace(':\n', ':  # changed\n'));
  },
};
