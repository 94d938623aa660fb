// What goes wrong around the editor, with the program and its model: typing goes on, no text is lost, and the user is told once,
// or not at all where nothing is asked of the user.
import { execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pause, until } from './workbench.mjs';

const STUB = 'def add(first, second):\n    ';
const NO_MODEL = '/no/such/model.gguf';

export class Faults {
  constructor(workbench, { program, file, settings, other }) {
    Object.assign(this, { workbench, program, settings, other, keyboard: workbench.page.keyboard, folder: dirname(file) });
    this.socket = join(process.env.XDG_RUNTIME_DIR, 'cinnabar/cinnabar.sock');
  }

  get daemon() {
    return JSON.parse(execFileSync(this.program, ['status', '--json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).pid;
  }

  async open(name, text) {
    this.file = join(this.folder, name);
    writeFileSync(this.file, text);
    await this.workbench.open(this.file);
  }

  /** Types at the end of the text until there is an answer, takes it; what is on disk then. */
  async complete(keys) {
    const shown = await this.workbench.typeUntilShown(keys);
    await this.keyboard.press('Tab');
    const written = await this.workbench.save(this.file);
    if (!written.replace(/\s/g, '').includes((keys + shown).replace(/\s/g, ''))) throw new Error(`not what was shown: ${written}`);
    return written;
  }

  async told(expected) {
    const messages = await this.workbench.messages();
    const isTold = messages.length === expected.length && messages.every((text, i) => expected[i].every((word) => text.includes(word)));
    if (!isTold) throw new Error(`expected ${JSON.stringify(expected)}, the user was told ${JSON.stringify(messages)}`);
    console.log(`the user is told ${JSON.stringify(messages)}`);
  }
}

export const STEPS = {
  async daemonKilled(at) {
    await at.open('killed.py', STUB);
    await at.workbench.status('ready');
    await at.workbench.goTo(2);
    await at.workbench.typeUntilShown('re');
    await at.keyboard.press('Escape');
    const killed = at.daemon;
    const words = 'sult = first  # typed while the daemon dies';
    for (const [number, key] of [...words].entries()) {
      if (number === 10) process.kill(killed, 'SIGKILL');
      await at.keyboard.type(key);
      await pause(60);
    }
    await at.keyboard.press('Escape');
    const typed = await at.workbench.save(at.file);
    if (typed !== `${STUB}re${words}`) throw new Error(`text was lost: ${JSON.stringify(typed)}`);
    await at.keyboard.press('Enter');
    const written = await at.complete('retu');
    if (!written.startsWith(typed)) throw new Error(`text was lost: ${JSON.stringify(written)}`);
    if (at.daemon === killed) throw new Error('the daemon is the one that was killed');
    await at.workbench.status('ready');
    await at.told([]);
  },

  async oldDaemon(at) {
    await at.open('old.py', STUB);
    await at.workbench.status('ready');
    const started = () => at.other.told('initialize').length;
    const before = started();
    at.workbench.set(at.other.settings);  // so that no proxy starts a daemon meanwhile
    await until('the other server is started', () => started() > before);
    await at.workbench.status('ready');
    const support = join(import.meta.dirname, 'support');
    await until('the daemon has left', () => { execFileSync('python3', [join(support, 'end_daemon.py'), at.socket]); return true; });
    const old = spawn('python3', [join(support, 'old_daemon.py'), at.socket], { stdio: ['ignore', 'inherit', 'inherit'] });
    try {
      await until('the old daemon listens', () => { try { execFileSync('test', ['-S', at.socket]); return true; } catch { return false; } });
      at.workbench.set(at.settings);
      await until('the old daemon has left', () => old.exitCode !== null);
      if (old.exitCode !== 0) throw new Error(`the old daemon ended with ${old.exitCode}`);
    } finally {
      old.kill();
    }
    await at.workbench.status('ready');
    await at.workbench.goTo(2);
    await at.complete('retu');
    await at.told([]);
  },

  async noModel(at) {
    await at.open('no_model.py', STUB);
    at.workbench.set({ ...at.settings, 'cinnabar.model': NO_MODEL });
    await at.workbench.status('error');
    await at.workbench.goTo(2);
    await at.keyboard.type('return first', { delay: 60 });
    await pause(1500);
    const written = await at.workbench.save(at.file);
    if (written !== `${STUB}return first`) throw new Error(`text was lost: ${JSON.stringify(written)}`);
    await at.told([[NO_MODEL, 'no such file', 'cinnabar model list', 'cinnabar.model']]);
    at.workbench.set(at.settings);
    await at.workbench.status('ready');
    await at.keyboard.press('Enter');
    await at.complete('retu');
  },

  async noProgram(at) {
    await at.open('no_program.py', STUB);
    await at.workbench.status('ready');
    at.workbench.set({ ...at.settings, 'cinnabar.path': 'cinnabar-is-not-here' });
    const toast = await at.workbench.shown('.notification-toast:has-text("was not found")');
    await at.workbench.status('error');
    await at.workbench.goTo(1);
    await at.workbench.pressInVain('ctrl+alt+enter', 'cinnabar.isRunning');  // its command would say that no server runs
    await at.keyboard.type('  # still an editor');
    const written = await at.workbench.save(at.file);
    if (written !== STUB.replace(':', ':  # still an editor')) throw new Error(`VS Code does not go on: ${JSON.stringify(written)}`);
    await toast.$('a:has-text("Open Setting")').then((button) => button.click());
    await at.workbench.shown('.settings-editor .setting-item-contents:has-text("Path")');
    at.workbench.set(at.settings);
    await at.workbench.status('ready');
  },

  // Apart from the step above, as the button there takes the message away.
  async wrongPath(at) {
    await at.open('wrong_path.py', STUB);
    await at.workbench.status('ready');
    at.workbench.set({ ...at.settings, 'cinnabar.path': '/no/such/cinnabar' });
    await at.workbench.status('error');
    await at.workbench.goTo(2);
    await at.keyboard.type('return first', { delay: 60 });
    await at.workbench.save(at.file);
    await at.told([['/no/such/cinnabar', 'was not found', 'cinnabar.path']]);
    at.workbench.set(at.settings);
    await at.workbench.status('ready');
  },
};
