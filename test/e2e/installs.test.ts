import { admin, InstallVisitor, newInstall, newLink, owner, readInstall } from '../support/install-visitor';
import { startTestApp, type TestApp } from '../support/start-app';
import { TenantClient } from '../support/tenant-client';

let app: TestApp;
let client: TenantClient;
let visitor: InstallVisitor;
beforeAll(async () => {
  app = await startTestApp({ env: { ROLLCALL_RETURN_URLS: 'https://partner.example/app' } });
});
beforeEach(async () => {
  app.simulator.reset();
  client = await TenantClient.create(app);
  visitor = new InstallVisitor(app.url, app.simulator);
});
afterAll(() => app?.stop());

describe('an installation', () => {
  it('goes from startInstall over Slack to a connection that works', async () => {
    const { id, url } = await newInstall(client, { externalId: 'customer-1' });
    expect((await visitor.get(url)).heading).toMatch(/^Connect Slack to Tenant \d+$/);

    const page = await visitor.install(url, owner);

    expect(page).toMatchObject({ status: 200, heading: 'Slack is connected', next: undefined });
    const install = await readInstall(client, id);
    expect(install).toMatchObject({ status: 'COMPLETED', problem: null, authorizeUrl: null });
    const connection = await client.read(install?.connection?.id ?? '');
    expect(connection).toMatchObject({
      name: 'Acme',
      externalId: 'customer-1',
      status: 'ACTIVE',
      installLevel: 'ORGANIZATION',
      organization: { name: 'Acme Group' },
      installer: { displayName: 'oscar.lindqvist' },
    });
    const { outcome, problems } = await client.changeUser('provisionUser', {
      connectionId: connection?.id,
      user: { email: 'new@acme.example', familyName: 'New' },
    });
    expect({ outcome, problems }).toEqual({ outcome: 'CREATED', problems: [] });
  });

  it('on a workspace connects the workspace', async () => {
    const { id, url } = await newInstall(client, { level: 'WORKSPACE' });
    expect((await visitor.install(url, admin)).heading).toBe('Slack is connected');
    expect(await readInstall(client, id)).toMatchObject({ connection: { installLevel: 'WORKSPACE' } });
  });

  it('of the wrong level saves nothing, ends the grant, explains the menu, and works at the second try', async () => {
    const { id, url } = await newLink(client);

    const wrong = await visitor.install(url, { ...owner, place: 'Acme Berlin' }, { level: 'ORGANIZATION' });

    expect(wrong.heading).toBe('A workspace was chosen, not the organization');
    expect(wrong.text).toContain('Your organization: choose this');
    expect(await readInstall(client, id)).toMatchObject({
      status: 'OPEN',
      connection: null,
      problem: { code: 'WRONG_INSTALL_LEVEL' },
    });
    expect([...app.simulator.world.grants.values()].filter(({ digest, isRevoked }) => digest && !isRevoked)).toEqual([]);

    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(wrong.text) ?? [];
    const right = await visitor.install(action, owner, { level: 'ORGANIZATION' });
    expect(right.heading).toBe('Slack is connected');
    expect(await readInstall(client, id)).toMatchObject({ status: 'COMPLETED', problem: null });
  });
});
