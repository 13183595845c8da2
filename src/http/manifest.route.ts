import type { FastifyInstance } from 'fastify';
import { gatewayAppManifest, tokenAppManifest } from './app-manifest';
import { queryOf, single } from './page-scope';

/**
 * `/slack/manifest.json`: the app of this gateway, for its operator. `?for=token`: an app of a customer's own, whose token is
 * pasted. Both are for Slack's "Create an app from a manifest", and hold nothing that is secret.
 */
export function registerManifests(app: FastifyInstance, publicUrl: () => string): void {
  app.get('/slack/manifest.json', async (request, reply) => {
    const isForToken = single(queryOf(request), 'for') === 'token';
    const manifest = isForToken ? tokenAppManifest() : gatewayAppManifest(publicUrl());
    return reply
      .type('application/json; charset=utf-8')
      .header('cache-control', 'no-store')
      .send(`${JSON.stringify(manifest, null, 2)}\n`);
  });
}
