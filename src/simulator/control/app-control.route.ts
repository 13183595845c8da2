import type { FastifyRequest } from 'fastify';
import { removeApp, setTeamAccess, takeBackGrants } from '../oauth/admin-actions';
import type { JsonObject } from '../scim/value';
import type { Controlled } from './control.route';

type Control = (
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  run: (request: FastifyRequest) => object | Promise<object>,
) => void;

/** Control routes about the app: its request URL for events, its secret, and what admins do with it. */
export function registerAppControls(
  control: Control,
  { simulator, context, onChange }: Controlled,
  bodyOf: (request: FastifyRequest) => JsonObject,
): void {
  const change = (run: (body: JsonObject) => void) => (request: FastifyRequest) => {
    run(bodyOf(request));
    onChange();
    return { ok: true };
  };
  control('GET', 'events', () => ({ url: simulator.eventsUrl, events: simulator.events }));
  /** `{"url": "http://…"}` or `{"url": null}`. */
  control('POST', 'events-url', async (request) => {
    const { url } = bodyOf(request);
    if (url !== null && (typeof url !== 'string' || !URL.canParse(url))) throw new RangeError('url is a URL or null');
    await simulator.setEventsUrl(url);
    return { url };
  });
  /** `{"placeId": "T…"}`, or `E…` for the organization install. */
  control(
    'POST',
    'app/uninstall',
    change(({ placeId }) => removeApp(context, String(placeId))),
  );
  /** `{"personId": "U…"}` */
  control(
    'POST',
    'app/revoke-grant',
    change(({ personId }) => takeBackGrants(context, String(personId))),
  );
  /** `{"teamId": "T…", "isAdded": true}` */
  control(
    'POST',
    'app/workspaces',
    change(({ teamId, isAdded }) => setTeamAccess(context, String(teamId), isAdded === true)),
  );
  control('POST', 'app/client-secret', () => {
    context.app.changeClientSecret(context.world.oauth, context.clock.now());
    onChange();
    return simulator.app;
  });
}
