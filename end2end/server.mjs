// The release program, started on a free port with a database of its own in a temporary folder.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program =
  process.env.DAYBOOK_PROGRAM ??
  fileURLToPath(new URL('../target/release/daybook', import.meta.url));

// What is set where the tests run must not reach the program.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('DAYBOOK_')),
);

/** A database in a temporary folder, and a server on it once `start` was called. */
export class Daybook {
  #server = null;

  /** Where it listens, and the variables that the program is given. */
  listen = '127.0.0.1:0';
  variables = {};

  /** An empty database, or a copy of the one in the `folder` of another. */
  static async create(folder = null) {
    const daybook = new Daybook();
    daybook.folder = await mkdtemp(join(tmpdir(), 'daybook-'));
    if (folder) await cp(folder, daybook.folder, { recursive: true });
    daybook.database = `sqlite:${join(daybook.folder, 'daybook.db')}`;
    return daybook;
  }

  /**
   * Starts the server and waits until it says where it listens: then it is `url`.
   * `options` are more arguments of `serve`.
   */
  async start(...options) {
    const server = this.#spawn(['serve', '--listen', this.listen, ...options]);
    this.#server = server;
    const said = gather(server.stderr);
    const lines = createInterface({ input: server.stdout });
    this.url = await new Promise((ready, broken) => {
      lines.on('line', (line) => {
        const address = line.match(/^listening on (http:\/\/\S+)$/)?.[1];
        if (address) ready(address);
      });
      server.once('error', broken);
      server.once('close', (status) =>
        broken(new Error(`daybook serve ended with ${status}:\n${said()}`)),
      );
    });
  }

  /** Asks the server to stop, and waits until it has. */
  async stop() {
    const server = this.#server;
    this.#server = null;
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGTERM');
    await once(server, 'close');
  }

  /** Stops the server and removes the database. */
  async remove() {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }

  /**
   * Runs another subcommand on the same database, also beside the server:
   * `run(['tenant', 'create', 'acme'])`. Gives what it printed; if it fails, so does this.
   */
  async run(command, input = '') {
    const child = this.#spawn(command);
    const out = gather(child.stdout);
    const errors = gather(child.stderr);
    // A command that ends without reading its input is no failure of the test.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [status] = await once(child, 'close');
    if (status !== 0) {
      throw new Error(`daybook ${command.join(' ')} ended with ${status}:\n${errors()}`);
    }
    return out();
  }

  async createTenant(tenant) {
    await this.run(['tenant', 'create', tenant]);
  }

  /** `workspace` is `TENANT/WORKSPACE`, here and below. */
  async createWorkspace(workspace) {
    await this.run(['workspace', 'create', workspace]);
  }

  /** In a workspace, or as tenant admin in a tenant. */
  async createUser({ workspace, tenant, email, name, role, password }) {
    const place = tenant ? ['--tenant', tenant] : ['--workspace', workspace];
    const person = ['--email', email, '--name', name, '--role', role, ...place];
    await this.run(['user', 'create', ...person, '--password-stdin'], `${password}\n`);
  }

  /** Gives the token's secret. */
  async createToken({ workspace, name = 'test', scopes = ['events:write'], options = [] }) {
    const wanted = scopes.flatMap((scope) => ['--scope', scope]);
    const token = ['--workspace', workspace, '--name', name, ...wanted, ...options];
    return (await this.run(['token', 'create', ...token])).trim();
  }

  /** Records events with a token's secret, all of them or none; gives the server's answer. */
  async record(token, events) {
    const answer = await fetch(`${this.url}/api/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the server answered ${answer.status}: ${text}`);
    return JSON.parse(text);
  }

  #spawn(command) {
    return spawn(program, [...command, '--database', this.database], {
      env: { ...environment, ...this.variables },
    });
  }
}

/** Collects what a stream says; the function that it gives tells all so far. */
function gather(stream) {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (more) => (text += more));
  return () => text;
}
