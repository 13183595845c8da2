import type { WebApiRequest } from '../web-api/web-api.route';
import { WebApiError } from '../web-api/web-api-error';

/**
 * Checks who calls: HTTP Basic first, then the body (OAuth §4, documented).
 * @param isSecretOptional a public client may leave the secret out, but not get it wrong.
 * @throws WebApiError `invalid_client_id` or `bad_client_secret`
 */
export function authenticateClient(request: WebApiRequest, { isSecretOptional = false } = {}): void {
  const { context, params } = request;
  const basic = basicCredentials(request.authorization);
  const clientId = basic?.id ?? params.get('client_id');
  const secret = basic?.secret ?? params.get('client_secret');
  if (clientId !== context.app.clientId) throw new WebApiError('invalid_client_id');
  if (secret === undefined && isSecretOptional) return;
  const isRight = context.app.hasClientSecret(secret ?? '', context.world.oauth, context.clock.now());
  if (!isRight) throw new WebApiError('bad_client_secret');
}

function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon === -1) return { id: text, secret: '' };
  return { id: formDecoded(text.slice(0, colon)), secret: formDecoded(text.slice(colon + 1)) };
}

/** Clients encode both parts before they join them (RFC 6749 §2.3.1). */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
