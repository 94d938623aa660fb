// Edits with the program and its model: next edits after a name was changed, accepted and rejected; what is on disk is compared
// each time.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pause, pressUntil, until } from './workbench.mjs';

const STATS = 'def describe(values):\n    größe = 0\n    for value in values:\n        größe += value\n    return größe\n';

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
  async nextEdits(at) {
    await at.open('stats.py', STATS);
    await at.rename();
    await at.workbench.picture('next-edit', { height: 130 });
    for (const line of [4, 5]) {
      await at.shown('amount');
      await at.goToNext(line);
      await at.workbench.press('alt+n', 'cinnabar.nextEdit');
      await until(`line ${line} is changed`, async () => (await at.places()).length === 5 - line);
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
