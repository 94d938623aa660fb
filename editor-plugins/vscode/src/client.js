// The library's client, which leaves it to us to tell the user what went wrong.
import { CloseAction, ErrorAction, LanguageClient, RevealOutputChannelOn } from 'vscode-languageclient/node';
import { SELECTOR } from './settings.js';

class QuietClient extends LanguageClient {
  // The library would show several messages about one server that ends.
  error(message, data) {
    super.error(message, data, false);
  }
}

/** A client that is not started yet. `ended` is called when its server ends by itself after it was ready. */
export function makeClient({ command, args, log, middleware, ended }) {
  let client;
  const errorHandler = {
    error: () => ({ action: ErrorAction.Continue, handled: true }),  // the connection's end follows
    closed: () => {
      if (client.isRunning()) ended();
      return { action: CloseAction.DoNotRestart, handled: true };
    },
  };
  client = new QuietClient('cinnabar', 'Cinnabar', { command, args }, {
    documentSelector: SELECTOR,
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    initializationFailedHandler: () => false,  // start() is refused, too, and that is enough
    errorHandler,
    middleware,
  });
  return client;
}
