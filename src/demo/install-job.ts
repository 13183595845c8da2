import { CustomerBrowser } from './customer-browser';
import type { GatewayClient } from './gateway.client';
import type { Steps } from './steps';

/** What the demo does at Slack besides the pages: an owner removes the app. */
export interface DemoSlack {
  uninstallApp(placeId: string): void;
}

interface InstallAnswer {
  readonly status: string;
  readonly problem: { readonly code: string; readonly remedy: string | null } | null;
  readonly connection: {
    readonly id: string;
    readonly status: string;
    readonly installLevel: string;
    readonly organization: { readonly slackId: string; readonly name: string };
  } | null;
}

interface HealthAnswer {
  readonly status: string;
  readonly issues: readonly { readonly code: string; readonly actor: string; readonly reauthorizeUrl: string | null }[];
}

const EVENT_ARRIVES_WITHIN_MS = 15_000;

/** A customer connects a whole Enterprise organization in a browser, at the second try, and removes the app later. */
export async function runInstallJob(client: GatewayClient, slack: DemoSlack, steps: Steps): Promise<void> {
  const { link } = await client.createConnectLink({ name: 'Globex', externalId: 'customer-2', environment: 'SANDBOX' });
  const browser = new CustomerBrowser();

  const first = await browser.allow(await browser.begin(link.url, 'ORGANIZATION'), 'Oscar Lindqvist', 'Acme Berlin');
  const refused = await readInstall(client, link.install.id);
  steps.expect(
    'A customer installs on a workspace instead of the organization',
    refused.problem?.code,
    'WRONG_INSTALL_LEVEL',
    first,
  );

  const second = await browser.allow(await browser.begin(link.url, 'ORGANIZATION'), 'Oscar Lindqvist', 'Acme Group');
  const { connection } = await readInstall(client, link.install.id);
  if (!connection) throw new Error(`The installation did not come about: ${second}`);
  steps.expect('… and tries again', connection.status, 'ACTIVE', `${connection.organization.name}, ${second}`);

  const person = { email: 'barbara@example.com', givenName: 'Barbara', familyName: 'Liskov' };
  const input = { connectionId: connection.id, user: person };
  const created = await client.userMutation('provisionUser', 'ProvisionUserInput', input);
  steps.expect('Provision a person in the organization', created.outcome, 'CREATED', created.user?.userName);

  const refreshed = await client.connectionMutation('refreshToken', 'ConnectionIdInput', { id: connection.id });
  steps.expect('Refresh the 12-hour token ahead of time', refreshed.connection?.status, 'ACTIVE');

  slack.uninstallApp(connection.organization.slackId);
  const health = await untilBroken(client, connection.id);
  const [issue] = health.issues;
  steps.expect(
    'An owner removes the app, and an event of Slack tells',
    issue?.code,
    'APP_UNINSTALLED',
    `${issue?.actor} must act`,
  );
  steps.expect('… and there is a link to install again', issue?.reauthorizeUrl ? 'yes' : 'no', 'yes');
}

async function readInstall(client: GatewayClient, id: string): Promise<InstallAnswer> {
  const query = `query ($id: ID!) { install(id: $id) {
    status problem { code remedy } connection { id status installLevel organization { slackId name } } } }`;
  return (await client.query<{ install: InstallAnswer }>(query, { id })).install;
}

/** Slack sends two events, in any order; the second says more. */
async function untilBroken(client: GatewayClient, id: string): Promise<HealthAnswer> {
  const query = 'query ($id: ID!) { connection(id: $id) { status issues { code actor reauthorizeUrl } } }';
  const giveUpAt = Date.now() + EVENT_ARRIVES_WITHIN_MS;
  for (;;) {
    const { connection } = await client.query<{ connection: HealthAnswer }>(query, { id });
    if (connection.issues.some(({ code }) => code === 'APP_UNINSTALLED') || Date.now() > giveUpAt) return connection;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
