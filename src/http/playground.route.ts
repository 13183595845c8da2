import { access } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';

export interface PlaygroundOptions {
  /** Folder that the build wrote the playground to; may not be there. */
  root: string;
}

/**
 * Scripts come from our own files alone, so a page that shows what Slack says cannot be made to run it. The code editor
 * sets inline styles and carries its fonts as data; nothing else is let out of 'self'.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const notBuilt =
  'The playground is not built. Run `npm run build` in the folder of Rollcall, then load this page again.\n';

/**
 * Serves the playground: `/playground` the page, never kept without asking; `/playground/assets/*` its files, kept for
 * good, since a changed file has another name. Answers 503 with a sentence while the page is not built.
 */
export async function registerPlayground(app: FastifyInstance, { root }: PlaygroundOptions): Promise<void> {
  // A scope of its own keeps these headers, and the plugin's reply decorators, away from all other routes.
  await app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root,
      serve: false,
      cacheControl: false,
      dotfiles: 'ignore',
      preCompressed: true,
    });

    scope.addHook('onRequest', async (_request, reply) => {
      reply.headers({
        'content-security-policy': contentSecurityPolicy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        // The build leaves compressed copies beside the files, and a shared cache must not mix them up.
        vary: 'accept-encoding',
      });
    });

    const sendPage = async (reply: FastifyReply) => {
      if (!(await isReadable(join(root, 'index.html')))) {
        return reply.code(503).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send(notBuilt);
      }
      return reply.header('cache-control', 'no-cache').sendFile('index.html');
    };
    scope.get('/playground', (_request, reply) => sendPage(reply));
    scope.get('/playground/', (_request, reply) => sendPage(reply));

    scope.get<{ Params: { '*': string } }>('/playground/assets/*', async (request, reply) =>
      reply.sendFile(`assets/${request.params['*']}`, { cacheControl: true, immutable: true, maxAge: '365d' }),
    );
  });
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
