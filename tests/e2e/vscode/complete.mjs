// VS Code with the packed extension. First every command and key with a server whose answers are known (keys.mjs). Then, with
// the program and its model, a function is completed in a real file: keys, ghost text, Tab, Ctrl+S; the extension is switched
// off and on, fills a stub by its command, and extracts a variable from what is selected; edits (edits.mjs), and what goes wrong
// around it (faults.mjs). At the end nothing that the extension contributes may be left that no step has used.
//
//   node complete.mjs VSIX FILE LINE KEYS -- COMMAND...    LINE counts from 1; the keys are typed at its end
//
// Run with the Node that code-server wants. Checked: the ghost text that VS Code draws is in the file afterwards.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkCoverage } from './coverage.mjs';
import { Edits, STEPS as EDIT_STEPS } from './edits.mjs';
import { Faults, STEPS as FAULT_STEPS } from './faults.mjs';
import { Keys, STEPS } from './keys.mjs';
import { Workbench, pause, until, waitsFor } from './workbench.mjs';

const cut = process.argv.indexOf('--');
const [vsix, file, line, keys] = process.argv.slice(2, cut);
const [program, ...args] = process.argv.slice(cut + 1);
const settings = { 'cinnabar.path': program, 'cinnabar.arguments': args };
const only = process.env.CINNABAR_STEP;  // for whoever works at some: the names of the steps to play, a regular expression
const plain = (text) => text.replace(/\s/g, '');  // the browser draws spaces as others

const requests = () => JSON.parse(execFileSync(program, ['status', '--json'], { encoding: 'utf8' })).counts.requests;

async function complete(workbench) {
  const { keyboard } = workbench.page;
  await workbench.goTo(line);
  const ghost = await workbench.typeUntilShown(keys);
  console.log(`shown behind ${JSON.stringify(keys)}: ${JSON.stringify(ghost)}`);
  await workbench.picture('ghost-text');
  await keyboard.press('Tab');
  const written = await workbench.save(file);
  if (!plain(written).includes(plain(keys + ghost))) throw new Error('the file does not hold the text shown');
}

// Types a comment at the end of the file; what says how many requests have reached the daemon since.
async function typeComment(workbench, text) {
  await workbench.page.keyboard.press('Control+End');
  const before = requests();
  await workbench.page.keyboard.type(text, { delay: 60 });
  return () => requests() - before;
}

async function toggle(workbench) {
  await workbench.command('Cinnabar: Toggle');
  await workbench.status('off');
  const whileOff = await typeComment(workbench, '\n# off');
  await pause(2000);
  if (whileOff() !== 0 || await workbench.ghostText()) throw new Error(`asked ${whileOff()} times while switched off`);
  await workbench.command('Cinnabar: Toggle');
  await workbench.status('ready');
  const whileOn = await typeComment(workbench, '\n# on');
  await until('it is asked when switched on again', () => whileOn() > 0);
}

async function completeFunction(workbench) {
  const stub = join(dirname(file), 'stub.py');
  writeFileSync(stub, 'def total(numbers):\n    """Return the sum of the numbers."""\n    pass\n');
  await workbench.page.keyboard.press('Control+s');
  await workbench.open(stub);
  await workbench.status('ready');
  await workbench.goTo(3);
  await workbench.command('Cinnabar: Complete Function');
  await until('the stub is filled', async () => (await workbench.page.textContent('.monaco-editor .view-lines')).includes('return'));
  await workbench.picture('whole-function', { height: 150 });
  const written = await workbench.save(stub);
  if (written.includes('pass')) throw new Error(`the stub is still there: ${written}`);
  console.log(`the command made of the stub: ${JSON.stringify(written)}`);
}

// Selects an expression by keys, chooses a refactoring from the editor's own menu, and takes it back in one step.
async function extractVariable(workbench) {
  const { keyboard } = workbench.page;
  const path = join(dirname(file), 'area.py');
  const before = 'def area(box):\n    return (box.right - box.left) * (box.bottom - box.top)\n';
  writeFileSync(path, before);
  await workbench.open(path);
  await workbench.status('ready');
  const selected = '(box.right - box.left)'.length;
  await workbench.select('2:12', Array(selected).fill('Shift+ArrowRight'), selected);
  await workbench.command('Refactor...');
  const choice = await workbench.shown('.action-widget .monaco-list-row:has-text("Extract variable")');
  await workbench.picture('refactor');
  await choice.click();
  await until('the file has another line', async () => (await workbench.page.$$('.monaco-editor .view-line')).length > 3);
  const written = await workbench.save(path);
  const [, name] = written.match(/^ {4}(\w+) = \(?box\.right - box\.left\)?$/m) ?? [];
  if (!name || !written.includes(`return ${name} * (box.bottom - box.top)`)) throw new Error(`not extracted: ${written}`);
  console.log(`extracted: ${JSON.stringify(written)}`);
  await keyboard.press('Control+z');
  await workbench.saveAs(path, before);
}

async function play(steps, ...given) {
  for (const [name, step] of steps) {
    if (only && !new RegExp(only).test(name)) continue;
    console.log(`-- ${name}`);
    await step(...given);
  }
}

waitsFor(program);
const workbench = await Workbench.start(vsix, settings);
try {
  const known = new Keys(workbench, dirname(file));
  await known.start();
  await play(Object.entries(STEPS), known);
  workbench.set(settings);
  await workbench.open(file);
  await workbench.status('ready');
  await play([complete, toggle, completeFunction, extractVariable].map((step) => [step.name, step]), workbench);
  await play(Object.entries(EDIT_STEPS), new Edits(workbench, program, file));
  await play(Object.entries(FAULT_STEPS), new Faults(workbench, { program, file, settings, other: known }));
  if (!only) checkCoverage(workbench.contributes, workbench.used);
} catch (error) {
  await workbench.page.screenshot({ path: join(import.meta.dirname, 'failed.png') });  // under build/, for whoever looks into it
  throw error;
} finally {
  await workbench.stop();
}
