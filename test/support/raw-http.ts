import { request } from 'node:http';

export interface RawAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

/** A request as fetch would not let it be sent: any headers, a body in pieces. Rejects when the connection is cut. */
export function sendRaw(
  url: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: readonly (string | Buffer)[] },
): Promise<RawAnswer> {
  const { method = 'POST', headers = {}, body = [] } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    outgoing.on('error', reject);
    writeInPieces(body, (piece) => new Promise((done) => outgoing.write(piece, () => setImmediate(done)))).then(
      () => outgoing.end(),
      reject,
    );
  });
}

async function writeInPieces(pieces: readonly (string | Buffer)[], write: (piece: string | Buffer) => Promise<void>) {
  for (const piece of pieces) await write(piece);
}
