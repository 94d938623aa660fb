// A language client on vscode-jsonrpc completes a function in a real file through `cinnabar lsp`: types a few keys, gets
// an item, accepts it, writes the file. In a second document it has a stub written by code action and by command. Every
// message, in both directions, is checked against the reference types.
//
//   node client.mjs FILE LINE KEYS -- COMMAND...     LINE counts from 0; the keys are typed at its end
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { CancellationTokenSource, createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { Validator } from './validate.mjs';

const cut = process.argv.indexOf('--');
const [file, line, keys] = process.argv.slice(2, cut);
const [program, ...arguments_] = process.argv.slice(cut + 1);
const PATIENCE = 900_000;  // ms; what does not get on is ended sooner, by tests/support/progress.py

const validator = new Validator(dirname(fileURLToPath(import.meta.url)));
validator.take('client', { jsonrpc: '2.0', method: 'initialized', params: { unknown: 1 } });
if (validator.faults.splice(0).length !== 1) throw new Error('the validator accepts a member that nobody knows');

const server = spawn(program, arguments_, { stdio: ['pipe', 'pipe', 'inherit'] });
const reader = new StreamMessageReader(server.stdout);
const writer = new StreamMessageWriter(server.stdin);
const listen = reader.listen.bind(reader);
reader.listen = (callback) => listen((message) => { validator.take('server', message); callback(message); });
const write = writer.write.bind(writer);
writer.write = (message) => { validator.take('client', JSON.parse(JSON.stringify(message))); return write(message); };

const connection = createMessageConnection(reader, writer);
connection.onRequest('workspace/configuration', (params) => params.items.map(() => ({ completion: true })));
connection.onRequest('client/registerCapability', () => null);
connection.onRequest('window/workDoneProgress/create', () => null);
const applied = [];
connection.onRequest('workspace/applyEdit', ({ edit }) => {
  applied.push(edit);
  return { applied: true };
});
for (const method of ['window/logMessage', 'didChangeStatus', '$/progress']) connection.onNotification(method, () => {});
connection.onNotification('window/showMessage', ({ message }) => console.error(`server: ${message}`));
connection.listen();

const uri = pathToFileURL(file).href;
let text = readFileSync(file, 'utf8');
let version = 1;
const offset = (position) => text.split('\n').slice(0, position.line).reduce((sum, l) => sum + l.length + 1, 0) + position.character;

async function replace(range, newText) {
  text = text.slice(0, offset(range.start)) + newText + text.slice(offset(range.end));
  version += 1;
  await connection.sendNotification('textDocument/didChange',
    { textDocument: { uri, version }, contentChanges: [{ range, text: newText }] });
}

function ask(position, token) {
  return connection.sendRequest('textDocument/inlineCompletion', { textDocument: { uri }, position, context: { triggerKind: 2 } }, token);
}

// As an editor does: each key asks anew and gives up on the key before.
async function type(position) {
  let source = new CancellationTokenSource();
  let answer = null;
  for (const key of keys) {
    source.cancel();
    source = new CancellationTokenSource();
    await replace({ start: position, end: position }, key);
    position = { line: position.line, character: position.character + 1 };
    answer = ask(position, source.token);
    answer.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  const end = Date.now() + PATIENCE;
  for (;;) {
    const { items } = await answer;
    if (items.length) return { items, position };
    if (Date.now() > end) throw new Error(`nothing to show for ${PATIENCE} ms`);
    await new Promise((resolve) => setTimeout(resolve, 500));  // the model may still be on its way
    answer = ask(position, new CancellationTokenSource().token);
  }
}

const initialized = await connection.sendRequest('initialize', {
  processId: process.pid, clientInfo: { name: 'node-client', version: '1' }, rootUri: null,
  workspaceFolders: [{ uri: pathToFileURL(dirname(file)).href, name: 'project' }],
  capabilities: {
    general: { positionEncodings: ['utf-16'] },
    textDocument: {
      synchronization: {}, inlineCompletion: {}, completion: { dynamicRegistration: true },
      codeAction: { codeActionLiteralSupport: { codeActionKind: { valueSet: ['refactor'] } }, dataSupport: true, resolveSupport: { properties: ['edit'] } },
    },
    window: { workDoneProgress: true },
    workspace: { applyEdit: true, workspaceEdit: { documentChanges: true }, configuration: true, workspaceFolders: true },
  },
});
if (!initialized.capabilities.inlineCompletionProvider) throw new Error('no inlineCompletionProvider');
await connection.sendNotification('initialized', {});
await connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId: 'python', version, text } });

const start = { line: Number(line), character: text.split('\n')[Number(line)].length };
const { items: [item], position } = await type(start);
const range = item.range ?? { start: position, end: position };
// The same for the pop-up menu, which the configuration has switched on.
const menu = await connection.sendRequest('textDocument/completion', { textDocument: { uri }, position, context: { triggerKind: 1 } });
if (!menu.items[0]?.textEdit.newText.endsWith(item.insertText)) throw new Error(`in the menu: ${JSON.stringify(menu)}`);
console.log(`shown: ${JSON.stringify(item.insertText)} for ${JSON.stringify(range)}`);
await replace(range, item.insertText);
if (item.command) await connection.sendRequest('workspace/executeCommand', { command: item.command.command, arguments: item.command.arguments });
writeFileSync(file, text);

// A stub, by code action and by command: both make one versioned edit of it.
async function fillStub() {
  const stub = { uri: uri.replace(/[^/]*$/, 'stub.py'), languageId: 'python', version: 1,
    text: 'def double(number):\n    """Twice the number."""\n    pass\n' };
  await connection.sendNotification('textDocument/didOpen', { textDocument: stub });
  const place = { textDocument: { uri: stub.uri }, range: { start: { line: 2, character: 8 }, end: { line: 2, character: 8 } } };
  const [action] = await connection.sendRequest('textDocument/codeAction', { ...place, context: { diagnostics: [], triggerKind: 1 } });
  const { edit } = await connection.sendRequest('codeAction/resolve', action);
  await connection.sendRequest('workspace/executeCommand',
    { command: 'cinnabar.fillHoles', arguments: [{ textDocument: { uri: stub.uri, version: 1 } }] });
  for (const made of [edit, ...applied]) {
    const [{ textDocument, edits: [change] }] = made.documentChanges;
    console.log(`edit: ${JSON.stringify(change)}`);
    if (textDocument.version !== 1 || change.range.start.line !== 2 || !change.newText.includes('return')) throw new Error('not the edit of a stub');
  }
  if (applied.length !== 1) throw new Error(`${applied.length} edits were applied by one command`);
}
await fillStub();
await connection.sendRequest('shutdown');
await connection.sendNotification('exit');
const code = await new Promise((resolve) => server.on('exit', resolve));

const faults = [...validator.faults, ...validator.unanswered().map((method) => `${method} has no answer`)];
if (code !== 0) faults.push(`the server ended with ${code}`);
console.log(`${validator.count} messages, ${faults.length} faults`);
for (const fault of faults) console.error(fault);
process.exit(faults.length ? 1 : 0);
