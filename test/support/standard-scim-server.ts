import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

type Message = { readonly port: number } | { readonly method: string; readonly path: string };

/** A SCIM 2.0 server that follows RFC 7643 and RFC 7644 and knows nothing of Slack, in a process of its own. */
export class StandardScimServer {
  /** Every SCIM call so far, as in `GET /Users`. */
  readonly calls: string[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {
    child.on('message', (message: Message) => {
      if ('method' in message)
        this.calls.push(`${message.method} ${message.path.replace(/(?<=^\/(Users|Groups)\/).+/, '{id}')}`);
    });
  }

  static async start(token: string): Promise<StandardScimServer> {
    const child = fork(join(__dirname, 'standard-scim-process.cjs'), { env: { ...process.env, TOKEN: token } });
    const [message] = (await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error('The standard SCIM server did not start.');
      }),
    ])) as [Message];
    if (!('port' in message)) throw new Error('The standard SCIM server has no port.');
    return new StandardScimServer(child, `http://127.0.0.1:${message.port}`);
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.disconnect();
    await ended;
  }
}
