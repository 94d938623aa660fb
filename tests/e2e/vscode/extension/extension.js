// $CINNABAR is the command, its words separated by spaces; $CINNABAR_READY is a file that appears when it answers.
const { writeFileSync } = require('node:fs');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

exports.activate = async () => {
  const [command, ...args] = process.env.CINNABAR.split(' ');
  client = new LanguageClient('cinnabar', 'Cinnabar', { command, args }, { documentSelector: [{ language: 'python' }] });
  await client.start();
  writeFileSync(process.env.CINNABAR_READY, 'ready');
};

exports.deactivate = () => client?.stop();
