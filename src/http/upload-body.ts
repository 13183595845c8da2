import { createHash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { InvalidInput } from '../domain/errors';

/** A file of 100,000 people on a line of 250 kbit/s. */
export const LONGEST_UPLOAD_MS = 15 * 60_000;

export interface UploadLimits {
  /** How long a client may send nothing while something is waited for. */
  readonly idleMs: number;
  readonly totalMs: number;
  readonly mostBytes: number;
}

/** Why an upload was not read to its end. */
export class UploadEnded extends InvalidInput {
  override readonly retryable: boolean;

  constructor(
    readonly status: 400 | 408 | 413,
    message: string,
  ) {
    super(message, { path: ['body'] });
    this.retryable = status !== 413;
  }
}

/**
 * A body that is read as it comes, for as long as it comes. What is left of it when reading ends early is not destroyed, since
 * its socket is needed for the answer.
 */
export class UploadBody {
  readonly #hash = createHash('sha256');
  readonly #pieces = new PassThrough();
  #size = 0;

  /** @param stopped aborts, with the error that reading is to end with, when the gateway cannot wait any more. */
  constructor(
    body: Readable,
    private readonly limits: UploadLimits,
    stopped: AbortSignal,
  ) {
    const { idleMs, totalMs } = limits;
    const idle = setTimeout(() => {
      // Paused, it is we who are slow.
      if (body.isPaused()) idle.refresh();
      else this.#end(new UploadEnded(408, `Nothing came for ${idleMs / 1_000} seconds.`));
    }, idleMs);
    const tooLong = () => this.#end(new UploadEnded(408, `The upload took more than ${totalMs / 60_000} minutes.`));
    const total = setTimeout(tooLong, totalMs);
    const onPiece = (piece: Buffer) => {
      idle.refresh();
      this.#note(piece);
    };
    const onStop = () => this.#end(stopped.reason);
    body.on('data', onPiece);
    body.on('error', () => this.#end(new UploadEnded(400, 'The connection ended within the upload.')));
    stopped.addEventListener('abort', onStop, { once: true });
    // Whoever reads the pieces meets the error; when nobody does, it is nobody's.
    this.#pieces.on('error', () => {});
    this.#pieces.once('close', () => {
      clearTimeout(idle);
      clearTimeout(total);
      body.off('data', onPiece);
      stopped.removeEventListener('abort', onStop);
    });
    if (stopped.aborted) onStop();
    else body.pipe(this.#pieces);
  }

  /** To be read once. @throws UploadEnded, and whatever `stopped` was aborted with. */
  get pieces(): AsyncIterable<Buffer> {
    return this.#pieces;
  }

  /** SHA-256 of all that came, hex; once it has been read to its end. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** Reads no more. */
  close(): void {
    this.#pieces.destroy();
  }

  #end(reason: Error): void {
    this.#pieces.destroy(reason);
  }

  #note(piece: Buffer): void {
    this.#hash.update(piece);
    this.#size += piece.length;
    if (this.#size <= this.limits.mostBytes) return;
    const most = Math.floor(this.limits.mostBytes / 1024 / 1024);
    this.#end(new UploadEnded(413, `An upload has at most ${most} MB.`));
  }
}
