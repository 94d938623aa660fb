// Checks JSON-RPC messages against a schema that is made from the reference library's own types. An unknown member, a
// missing one, a method that nobody listed: each is a fault that says where.
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const FRAME = {
  request: ['jsonrpc', 'id', 'method', 'params'],
  notification: ['jsonrpc', 'method', 'params'],
  response: ['jsonrpc', 'id', 'result'],
  error: ['jsonrpc', 'id', 'error'],
};

export class Validator {
  constructor(folder) {
    const schema = createGenerator({
      path: `${folder}/wire.ts`, tsconfig: `${folder}/tsconfig.json`, type: 'Wire', skipTypeCheck: true,
    }).createSchema('Wire');
    const ajv = new Ajv({ allErrors: true, strict: false });
    ajv.addSchema(schema, 'wire');
    this.ajv = ajv;
    this.known = schema.definitions.Wire.properties;
    this.asked = { client: new Map(), server: new Map() };  // who asked: id -> method
    this.count = 0;
    this.faults = [];
  }

  // `from` is "client" or "server": who sent it.
  take(from, message) {
    this.count += 1;
    const kind = message.method ? ('id' in message ? 'request' : 'notification') : 'error' in message ? 'error' : 'response';
    const extra = Object.keys(message).filter((name) => !FRAME[kind].includes(name));
    if (message.jsonrpc !== '2.0') this.fault(from, message, 'jsonrpc is not "2.0"');
    if (extra.length) this.fault(from, message, `unknown members ${extra}`);
    if (kind === 'request' || kind === 'notification') {
      if (kind === 'request') this.asked[from].set(message.id, message.method);
      if (message.params !== undefined && message.params !== null) this.check(from, message, `${message.method}.params`, message.params);
      return;
    }
    const other = this.asked[from === 'client' ? 'server' : 'client'];
    const method = other.get(message.id);
    if (method === undefined) return this.fault(from, message, 'an answer to nothing');
    other.delete(message.id);
    if (kind === 'response') this.check(from, message, `${method}.result`, message.result);
    else if (!Number.isInteger(message.error.code) || typeof message.error.message !== 'string') this.fault(from, message, 'no error object');
  }

  check(from, message, name, value) {
    if (!(name in this.known)) return this.fault(from, message, `${name} is not in wire.ts`);
    const validate = this.ajv.getSchema(`wire#/definitions/Wire/properties/${name.replace(/~/g, '~0').replace(/\//g, '~1')}`);
    if (!validate(value)) this.fault(from, message, this.ajv.errorsText(validate.errors));
  }

  fault(from, message, what) {
    this.faults.push(`${from}: ${what}\n  in ${JSON.stringify(message).slice(0, 500)}`);
  }

  unanswered() {
    return [...this.asked.client.values(), ...this.asked.server.values()];
  }
}
