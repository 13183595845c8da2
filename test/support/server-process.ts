import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const repository = join(__dirname, '../..');

export interface ServerProcessOptions {
  /** Data folder; it stays when the process ends. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface ProcessAnswer {
  readonly status: number;
  readonly data: Record<string, unknown> | null | undefined;
  readonly text: string;
}

/** The built gateway as a process of its own, whose outputs and end can be looked at. Only the given variables reach it. */
export class ServerProcess {
  stdout = '';
  stderr = '';
  /** The exit code once it has ended and all output was read; null when a signal ended it. */
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #listeners = new Set<() => void>();

  constructor({ directory, env = {}, args = [] }: ServerProcessOptions) {
    this.#child = spawn(process.execPath, ['dist/src/main.js', ...args], {
      cwd: repository,
      env: { PATH: process.env.PATH, ROLLCALL_DATA_DIR: directory, ROLLCALL_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const onOutput = () => {
      for (const listener of this.#listeners) listener();
    };
    this.#child.stdout.on('data', (text: Buffer) => {
      this.stdout += text.toString('utf8');
      onOutput();
    });
    this.#child.stderr.on('data', (text: Buffer) => {
      this.stderr += text.toString('utf8');
      onOutput();
    });
    this.ended = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
  }

  /** Starts one and waits until it listens. */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const server = new ServerProcess(options);
    await server.prints('stdout', /GraphQL +\S+\n[\s\S]*\n\n$/);
    return server;
  }

  /** Such as http://127.0.0.1:40123. */
  get url(): string {
    return new URL(this.printed('GraphQL')).origin;
  }

  get adminKey(): string {
    return this.printed('Admin key');
  }

  /** A value of the banner. */
  printed(name: string): string {
    const [, value] = new RegExp(`${name} +(\\S+)`).exec(this.stdout) ?? [];
    if (value === undefined) throw new Error(`The banner has no ${name}: ${this.stdout}`);
    return value;
  }

  /** Resolves as soon as the output holds it; rejects when the process ends without. */
  prints(output: 'stdout' | 'stderr', pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!pattern.test(this[output])) return;
        this.#listeners.delete(look);
        resolve();
      };
      this.#listeners.add(look);
      look();
      void this.ended.then(() => reject(new Error(`It ended before: ${this.stdout}${this.stderr}`)));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<number | null> {
    this.kill('SIGTERM');
    return this.ended;
  }

  async query(query: string, variables: object = {}, key?: string): Promise<ProcessAnswer> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key ?? this.adminKey}` },
      body: JSON.stringify({ query, variables }),
    });
    const text = await response.text();
    const { data } = JSON.parse(text) as Pick<ProcessAnswer, 'data'>;
    return { status: response.status, data, text };
  }

  /** The payload of a mutation with one `input`. */
  async mutate(name: string, inputType: string, selection: string, input: object, key?: string): Promise<unknown> {
    const mutation = `mutation ($input: ${inputType}!) { ${name}(input: $input) { ${selection} } }`;
    const { data, text } = await this.query(mutation, { input }, key);
    if (!data) throw new Error(`${name} was not answered: ${text}`);
    return data[name];
  }
}
