import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

type Command = 'start' | 'crash';

interface Message {
  readonly id?: number;
  readonly url?: string;
  readonly failure?: string;
}

/** A real PostgreSQL server with an empty data directory of its own, which goes away with it. */
export class PostgresServer {
  #lastId = 0;

  private constructor(
    private readonly child: ChildProcess,
    /** Of the database `postgres`, as superuser. */
    readonly url: string,
  ) {}

  static async start(): Promise<PostgresServer> {
    const child = fork(join(__dirname, 'postgres-server-process.mjs'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const { url, failure } = await answer(child, () => true);
    if (url === undefined) throw new Error(`PostgreSQL does not start:\n${failure}`);
    // The server must not keep the test run alive.
    child.unref();
    child.channel?.unref();
    return new PostgresServer(child, url);
  }

  /** Ends the server as a crash would. */
  crash(): Promise<void> {
    return this.#send('crash');
  }

  /** Starts it again, on the same port and data. */
  restart(): Promise<void> {
    return this.#send('start');
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.ref();
    this.child.disconnect();
    await ended;
  }

  async #send(command: Command): Promise<void> {
    this.#lastId += 1;
    const id = this.#lastId;
    this.child.channel?.ref();
    const answered = answer(this.child, (message) => message.id === id);
    this.child.send({ id, command });
    const { failure } = await answered;
    this.child.channel?.unref();
    if (failure !== undefined) throw new Error(failure);
  }
}

/** The first message that fits; the end of the child counts as an answer, so that nobody waits for a dead one. */
function answer(child: ChildProcess, fits: (message: Message) => boolean): Promise<Message> {
  return new Promise((resolve) => {
    const finish = (message: Message) => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(message);
    };
    const onMessage = (message: Message) => {
      if (fits(message)) finish(message);
    };
    const onExit = () => finish({ failure: 'The process of the server has ended.' });
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
