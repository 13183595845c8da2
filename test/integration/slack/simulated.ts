import type { DirectoryClient, DirectoryTarget } from '../../../src/domain/directory-ports';
import type { UpstreamCall } from '../../../src/domain/ports';
import { silentLogger } from '../../../src/shared/logger';
import { Secret } from '../../../src/shared/secret';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator';
import { slackAppOf } from '../../../src/slack/slack-app';
import { createSlackEdge, type SlackEdge } from '../../../src/slack/slack-directory';
import { FakeClock } from '../../support/fake-clock';
import { redirectUri } from '../simulator/oauth-client';

type TokenName = keyof Simulator['tokens'];

/** The edge against a running simulator. Waits pass on a fake clock, sockets work in real time. */
export interface Simulated {
  readonly simulator: Simulator;
  readonly edge: SlackEdge;
  readonly clock: FakeClock;
  /** Its calls move the fake clock as far as they need. */
  client(token?: TokenName): DirectoryClient;
  call(seconds?: number): UpstreamCall;
  /** Moves the fake clock as far as the work needs. */
  run<T>(work: Promise<T>): Promise<T>;
  token(name: TokenName): Secret;
  stop(): Promise<void>;
}

export async function startSimulated({
  attemptTimeoutMs = 10_000,
  limits = 'off' as 'slack' | 'off',
} = {}): Promise<Simulated> {
  const clock = new FakeClock(Date.now());
  const simulator = await startSimulator({ seed: 'slack edge', clock });
  const edge = createSlackEdge({
    origins: { SANDBOX: { web: simulator.url, scim: simulator.url } },
    apps: { SANDBOX: slackAppOf(() => simulator.app) },
    redirectUri: () => redirectUri,
    clock,
    random: () => 0,
    logger: silentLogger,
    attemptTimeoutMs,
    limits,
  });
  const token = (name: TokenName) => new Secret(simulator.tokens[name]);
  return {
    simulator,
    edge,
    clock,
    token,
    client: (name = 'business-admin') => {
      const target: DirectoryTarget = {
        environment: 'SANDBOX',
        budgetKey: `SANDBOX:${name}`,
        tokens: {
          lease: async () => ({ id: undefined, secret: token(name) }),
          reportRejected: async () => false,
        },
      };
      return onClock(edge.directory.for(target), clock);
    },
    call: (seconds = 30) => ({
      signal: new AbortController().signal,
      deadlineAt: clock.now() + seconds * 1000,
      requestId: 'req_1',
    }),
    run: (work) => clock.runUntil(work),
    stop: async () => {
      await simulator.stop();
      await edge.close();
    },
  };
}

function onClock(client: DirectoryClient, clock: FakeClock): DirectoryClient {
  return {
    probe: (...given) => clock.runUntil(client.probe(...given)),
    listUsers: (...given) => clock.runUntil(client.listUsers(...given)),
    listAddresses: (...given) => clock.runUntil(client.listAddresses(...given)),
    findUsers: (...given) => clock.runUntil(client.findUsers(...given)),
    getUser: (...given) => clock.runUntil(client.getUser(...given)),
    createUser: (...given) => clock.runUntil(client.createUser(...given)),
    updateUser: (...given) => clock.runUntil(client.updateUser(...given)),
    listGroups: (...given) => clock.runUntil(client.listGroups(...given)),
    findGroups: (...given) => clock.runUntil(client.findGroups(...given)),
    getGroup: (...given) => clock.runUntil(client.getGroup(...given)),
    createGroup: (...given) => clock.runUntil(client.createGroup(...given)),
    renameGroup: (...given) => clock.runUntil(client.renameGroup(...given)),
    changeGroupMembers: (...given) => clock.runUntil(client.changeGroupMembers(...given)),
    deleteGroup: (...given) => clock.runUntil(client.deleteGroup(...given)),
  };
}
