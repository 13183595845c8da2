import type { GatewayClient } from './gateway.client';
import type { Steps } from './steps';

type Tokens = Readonly<
  Record<'business-admin' | 'business-bot' | 'business-scopeless' | 'enterprise-workspace', string>
>;

/** Connects, provisions, changes, deactivates, reactivates, and shows what a mistake looks like. */
export async function runMainJob(client: GatewayClient, tokens: Tokens, steps: Steps): Promise<void> {
  await connectWithWrongTokens(client, tokens, steps);
  const connectionId = await connect(client, tokens, steps);
  await provision(client, connectionId, steps);
  await deactivateAndReactivate(client, connectionId, steps);
  await losePermission(client, connectionId, tokens, steps);
}

async function connectWithWrongTokens(client: GatewayClient, tokens: Tokens, steps: Steps): Promise<void> {
  const wrong: [string, string, string][] = [
    ['a token that Slack does not know', 'xoxp-not-a-token-of-this-slack', 'INVALID_TOKEN'],
    ['a bot token', tokens['business-bot'], 'WRONG_TOKEN_KIND'],
    ['a token without the scope "admin"', tokens['business-scopeless'], 'MISSING_SCOPES'],
    ['a workspace token of an Enterprise', tokens['enterprise-workspace'], 'WRONG_INSTALL_LEVEL'],
  ];
  for (const [what, token, code] of wrong) {
    const input = { name: 'Acme', environment: 'SANDBOX', token };
    steps.expectProblem(
      `Connect with ${what}`,
      await client.connectionMutation('createConnection', 'CreateConnectionInput', input),
      code,
    );
  }
}

async function connect(client: GatewayClient, tokens: Tokens, steps: Steps): Promise<string> {
  const input = { name: 'Acme', externalId: 'customer-1', environment: 'SANDBOX', token: tokens['business-admin'] };
  const payload = await client.connectionMutation('createConnection', 'CreateConnectionInput', input);
  steps.expect('Connect with the token of an admin', payload.connection?.status, 'ACTIVE');
  if (!payload.connection) throw new Error('Without a connection there is nothing to show');
  return payload.connection.id;
}

async function provision(client: GatewayClient, connectionId: string, steps: Steps): Promise<void> {
  const person = { email: 'grace@example.com', givenName: 'Grace', familyName: 'Hopper', department: 'Compilers' };
  const hire = { connectionId, user: person, idempotencyKey: 'hire-grace' };
  const created = await client.userMutation('provisionUser', 'ProvisionUserInput', hire);
  steps.expect(
    'Provision a new person',
    created.outcome,
    'CREATED',
    `${created.user?.slackId} as ${created.user?.userName}`,
  );

  const repeated = await client.userMutation('provisionUser', 'ProvisionUserInput', hire);
  steps.expect('Send the same call again (same key)', repeated.outcome, 'CREATED', `still ${repeated.user?.slackId}`);

  const promoted = { connectionId, user: { ...person, title: 'Rear Admiral' } };
  const updated = await client.userMutation('provisionUser', 'ProvisionUserInput', promoted);
  steps.expect('Provision with a new title', updated.outcome, 'UPDATED', updated.user?.title);

  const found = await client.query<{ connection: { user: { userName: string } | null } }>(
    'query ($id: ID!) { connection(id: $id) { user(by: { email: "GRACE@example.com" }) { userName } } }',
    { id: connectionId },
  );
  steps.expect('Look the person up by e-mail', found.connection.user?.userName, 'grace');
}

async function deactivateAndReactivate(client: GatewayClient, connectionId: string, steps: Steps): Promise<void> {
  const action = { connectionId, user: { email: 'grace@example.com' } };
  const left = await client.userMutation('deprovisionUser', 'UserActionInput', action);
  steps.expect('Deactivate the person', left.outcome, 'DEACTIVATED');

  const leftAgain = await client.userMutation('deprovisionUser', 'UserActionInput', action);
  steps.expect('Deactivate once more', leftAgain.outcome, 'UNCHANGED');

  const rehire = { connectionId, user: { email: 'grace@example.com' } };
  const back = await client.userMutation('provisionUser', 'ProvisionUserInput', rehire);
  steps.expect('Provision the same address again', back.outcome, 'REACTIVATED', back.user?.slackId);

  const installer = await client.query<{ connection: { installer: { slackId: string } } }>(
    'query ($id: ID!) { connection(id: $id) { installer { slackId } } }',
    { id: connectionId },
  );
  const protectedAction = { connectionId, user: { slackId: installer.connection.installer.slackId } };
  const refused = await client.userMutation('deprovisionUser', 'UserActionInput', protectedAction);
  steps.expectProblem('Deactivate the installer', refused, 'PROTECTED_USER');
}

async function losePermission(
  client: GatewayClient,
  connectionId: string,
  tokens: Tokens,
  steps: Steps,
): Promise<void> {
  const disconnected = await client.connectionMutation('disconnect', 'DisconnectInput', {
    id: connectionId,
    revokeToken: true,
  });
  steps.expect('Disconnect and revoke the token at Slack', disconnected.connection?.status, 'DISCONNECTED');

  const input = { id: connectionId, token: tokens['business-admin'] };
  const replaced = await client.connectionMutation('replaceToken', 'ReplaceTokenInput', input);
  steps.expectProblem('Connect again with the revoked token', replaced, 'TOKEN_REVOKED');
}
